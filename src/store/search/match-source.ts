// The matches of a query as rows of `resource r`: the candidates of one condition, every other condition asked of each.
import type { Condition, SearchQuery, SortKey } from '../../fhir/search/query.ts';
import { candidatesSql } from './candidates.ts';
import { conditionSql } from './condition-sql.ts';
import { type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

export const R = raw('r');

export interface Source {
  readonly from: Fragment;
  readonly where: Fragment[];
}

/**
 * Matches, each once; all conditions are asked of every resource of the type when no driver is given. `resource` itself is
 * left out where search rows know everything that is asked.
 */
export function matchSource(
  query: SearchQuery,
  driver: Condition | undefined,
  rest: readonly Condition[],
  ids: ParameterIds,
): Source {
  const asked = fewestFirst(rest).map((condition) => conditionSql(condition, R, ids));
  const where = [...baseSql(query), ...asked];
  if (!driver) return { from: sql`resource r`, where };
  const set = candidatesSql(driver, query.type, ids);
  if (set && isOfType(driver, query) && [...rest, ...query.sort].every(isInRows)) {
    return { from: sql`(SELECT d.rid AS rid FROM (${eachOnce(set)}) d) r`, where: asked };
  }
  if (!set) return { from: sql`resource r`, where: [...where, conditionSql(driver, R, ids)] };
  return among(set, where);
}

/** @param set `SELECT … AS rid`, perhaps some twice */
export function among(set: Fragment, where: readonly Fragment[]): Source {
  return { from: sql`(${eachOnce(set)}) d CROSS JOIN resource r`, where: [sql`r.rid = d.rid`, ...where] };
}

const eachOnce = (set: Fragment) => sql`SELECT DISTINCT rid FROM (${set}) f ORDER BY rid`;

/** Values of a type's own parameter belong to current resources of the type. */
export function isOfType(driver: Condition, { type }: SearchQuery): boolean {
  return driver.kind === 'match' && driver.parameter.type === type;
}

/** Whether a condition or a sort key asks nothing of `resource` but its number. */
function isInRows(asked: Condition | SortKey): boolean {
  if (!('kind' in asked)) return asked.values !== 'id' && asked.values !== 'updated';
  if (asked.kind === 'not') return isInRows(asked.of);
  if (asked.kind === 'any' || asked.kind === 'all') return asked.of.every(isInRows);
  return asked.kind === 'match' || asked.kind === 'composite' || asked.kind === 'missing';
}

/** One value is asked for before a list of them, and lists before what needs more than one look. */
function fewestFirst(conditions: readonly Condition[]): readonly Condition[] {
  const size = (condition: Condition) =>
    condition.kind === 'match' ? condition.anyOf.length : Number.MAX_SAFE_INTEGER;
  return conditions.toSorted((a, b) => size(a) - size(b));
}

export function baseSql(query: SearchQuery): Fragment[] {
  const type = query.type === undefined ? [] : [sql`r.type = ${query.type}`];
  return [...type, sql`r.deleted = 0`];
}
