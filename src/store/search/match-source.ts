// The matches of a query as rows of `resource r`: the candidates of one condition, every other condition asked of each.
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import { candidatesSql } from './candidates.ts';
import { conditionSql } from './condition-sql.ts';
import { type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

export const R = raw('r');

export interface Source {
  readonly from: Fragment;
  readonly where: Fragment[];
}

/** Matches, each once; all conditions are asked of every resource of the type when no driver is given. */
export function matchSource(
  query: SearchQuery,
  driver: Condition | undefined,
  rest: readonly Condition[],
  ids: ParameterIds,
): Source {
  const where = [...baseSql(query), ...rest.map((condition) => conditionSql(condition, R, ids))];
  if (!driver) return { from: sql`resource r`, where };
  const set = candidatesSql(driver, query.type, ids);
  if (!set) return { from: sql`resource r`, where: [...where, conditionSql(driver, R, ids)] };
  return among(set, where);
}

/** @param set `SELECT … AS rid`, perhaps some twice */
export function among(set: Fragment, where: readonly Fragment[]): Source {
  return {
    from: sql`(SELECT DISTINCT rid FROM (${set}) f ORDER BY rid) d CROSS JOIN resource r`,
    where: [sql`r.rid = d.rid`, ...where],
  };
}

export function baseSql(query: SearchQuery): Fragment[] {
  const type = query.type === undefined ? [] : [sql`r.type = ${query.type}`];
  return [...type, sql`r.deleted = 0`];
}
