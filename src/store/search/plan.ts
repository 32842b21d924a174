// Decides how a page is read, so that it costs what it returns:
// - in row order along the index of one value (`owner=…` unsorted), or along the type when nothing narrows it much;
// - in sort order along the index of the first sort key, likewise;
// - otherwise the candidates of the narrowest condition are collected and sorted.
// Every other condition is asked per candidate.
import { compartmentCondition } from '../../fhir/search/compartment.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SqlRow } from '../store.ts';
import { candidatesSql } from './candidates.ts';
import type { Position } from './cursor.ts';
import { chooseDriver, narrowest } from './driver.ts';
import { and, type Fragment, sql } from './fragment.ts';
import { isOfType, matchSource } from './match-source.ts';
import { alongId, alongLastUpdated, alongOneValue, inRowOrder, sorted } from './page-sql.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { canWalk, walkSorted } from './sort-walk.ts';

export interface PlanContext {
  readonly parameters: SearchParameters;
  readonly ids: ParameterIds;
}

/**
 * Reads one page: the columns of `resource` and the sort values as `k0`, `k1`, …
 * @param limit rows to fetch
 */
export async function readPage(
  db: Sql,
  query: SearchQuery,
  after: Position | undefined,
  limit: number,
  context: PlanContext,
): Promise<SqlRow[]> {
  const conditions = allConditions(query, context.parameters);
  const plan =
    query.sort.length === 0
      ? await planUnsorted(db, query, conditions, after, limit, context.ids)
      : await planSorted(db, query, conditions, after, limit, context.ids);
  return typeof plan === 'function' ? plan() : db.all(plan.text, plan.params);
}

async function planUnsorted(
  db: Sql,
  query: SearchQuery,
  conditions: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Promise<Fragment> {
  const [only] = conditions;
  const alone = only && conditions.length === 1 ? alongOneValue(query, only, [], after, limit, ids) : undefined;
  if (alone) return alone;
  const { driver, isBroad } = await chooseDriver(db, query, conditions, ids);
  const rest = conditions.filter((condition) => condition !== driver);
  const direct = driver && alongOneValue(query, driver, rest, after, limit, ids);
  if (direct) return direct;
  if (isBroad) return inRowOrder(query, undefined, conditions, after, limit, ids);
  return inRowOrder(query, driver, rest, after, limit, ids);
}

async function planSorted(
  db: Sql,
  query: SearchQuery,
  conditions: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Promise<Fragment | (() => Promise<SqlRow[]>)> {
  const { driver, isBroad } = await chooseDriver(db, query, conditions, ids);
  const [first, ...others] = query.sort;
  if (query.type !== undefined && first) {
    const isWide = !driver || isBroad;
    if (others.length === 0 && first.values === 'updated' && (isWide || driver.kind === 'updated')) {
      return alongLastUpdated(query, conditions, after, limit, ids);
    }
    if (others.length === 0 && first.values === 'id' && isWide) return alongId(query, conditions, after, limit, ids);
    if (isWide && canWalk(query)) return () => walkSorted(db, query, conditions, after, limit, ids);
  }
  const rest = conditions.filter((condition) => condition !== driver);
  return sorted(query, matchSource(query, driver, rest, ids), after, limit, ids);
}

/** The statement that counts all matches as `total`. */
export function totalSql(query: SearchQuery, { parameters, ids }: PlanContext): Fragment {
  const conditions = allConditions(query, parameters);
  const driver = narrowest(conditions);
  const rest = conditions.filter((condition) => condition !== driver);
  const set =
    rest.length === 0 && driver && isOfType(driver, query) ? candidatesSql(driver, query.type, ids) : undefined;
  if (set) return sql`SELECT COUNT(DISTINCT f.rid) AS total FROM (${set}) f`;
  const { from, where } = matchSource(query, driver, rest, ids);
  return sql`SELECT COUNT(*) AS total FROM ${from} WHERE ${and(where)}`;
}

function allConditions(query: SearchQuery, parameters: SearchParameters): readonly Condition[] {
  const conditions = query.conditions.flatMap(parts);
  if (!query.compartment) return conditions;
  return [...conditions, compartmentCondition(parameters, query.type, query.compartment.id)];
}

/** What is joined by `and` in a filter or a scope is planned like parameters next to each other. */
function parts(condition: Condition): readonly Condition[] {
  return condition.kind === 'all' ? condition.of.flatMap(parts) : [condition];
}
