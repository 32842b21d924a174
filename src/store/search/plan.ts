// Turns a query into one SQL statement per page. Three ways to walk, so that a page costs what it returns:
// - in row order along the index of one value (`owner=…` unsorted), or along the type when nothing narrows it much;
// - in _lastUpdated order along the type, likewise;
// - otherwise the candidates of the narrowest condition are collected and sorted.
// Every other condition is asked per candidate.
import { compartmentCondition } from '../../fhir/search/compartment.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import { candidatesSql } from './candidates.ts';
import { conditionSql } from './condition-sql.ts';
import type { Position } from './cursor.ts';
import { isBroad, narrowest } from './driver.ts';
import { FOUND_COLUMNS } from './found-rows.ts';
import { and, type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { afterSql, isDescending, orderSql, sortValueSql } from './sort-sql.ts';
import { tableOf, valueSql } from './value-sql.ts';

export interface PlanContext {
  readonly parameters: SearchParameters;
  readonly ids: ParameterIds;
}

const R = raw('r');

/**
 * The statement for one page (after a short count of candidates where it decides the way): the columns of `resource` and the sort values as `k0`, `k1`, …
 * @param limit rows to fetch
 */
export async function planPage(
  db: Sql,
  query: SearchQuery,
  after: Position | undefined,
  limit: number,
  context: PlanContext,
): Promise<Fragment> {
  const conditions = allConditions(query, context.parameters);
  const driver = narrowest(conditions);
  const rest = conditions.filter((condition) => condition !== driver);
  if (query.sort.length === 0) {
    const direct = driver && alongOneValue(query, driver, rest, after, limit, context);
    if (direct) return direct;
    if (driver && (await isBroad(db, query, driver, context.ids))) {
      return inRowOrder(query, undefined, conditions, after, limit, context);
    }
    return inRowOrder(query, driver, rest, after, limit, context);
  }
  const [only] = query.sort;
  if (query.sort.length === 1 && only?.values === 'updated' && query.type !== undefined) {
    const walk = !driver || driver.kind === 'updated' || (await isBroad(db, query, driver, context.ids));
    if (walk) return alongLastUpdated(query, conditions, after, limit, context);
  }
  return sorted(query, driver, rest, after, limit, context);
}

/** The statement that counts all matches as `total`. */
export function totalSql(query: SearchQuery, context: PlanContext): Fragment {
  const conditions = allConditions(query, context.parameters);
  const driver = narrowest(conditions);
  const rest = conditions.filter((condition) => condition !== driver);
  const { from, where } = source(query, driver, rest, context);
  return sql`SELECT COUNT(*) AS total FROM ${from} WHERE ${and(where)}`;
}

function allConditions(query: SearchQuery, parameters: SearchParameters): Condition[] {
  if (!query.compartment) return [...query.conditions];
  return [...query.conditions, compartmentCondition(parameters, query.type, query.compartment.id)];
}

interface Source {
  readonly from: Fragment;
  readonly where: Fragment[];
}

/** Matches as rows of `r`, each once. */
function source(query: SearchQuery, driver: Condition | undefined, rest: Condition[], { ids }: PlanContext): Source {
  const filters = rest.map((condition) => conditionSql(condition, R, ids));
  const where = [...baseSql(query), ...filters];
  if (!driver) return { from: sql`resource r`, where };
  const set = candidatesSql(driver, query.type, ids);
  if (!set) return { from: sql`resource r`, where: [...where, conditionSql(driver, R, ids)] };
  return {
    from: sql`(SELECT DISTINCT rid FROM (${set}) f) d CROSS JOIN resource r`,
    where: [sql`r.rid = d.rid`, ...where],
  };
}

function baseSql(query: SearchQuery): Fragment[] {
  const type = query.type === undefined ? [] : [sql`r.type = ${query.type}`];
  return [...type, sql`r.deleted = 0`];
}

/** The index of a single value is in row order: pages need neither sorting nor a list of all candidates. */
function alongOneValue(
  query: SearchQuery,
  driver: Condition,
  rest: Condition[],
  after: Position | undefined,
  limit: number,
  { ids }: PlanContext,
): Fragment | undefined {
  if (driver.kind !== 'match' || driver.anyOf.length !== 1) return undefined;
  const [match] = driver.anyOf;
  const isOneTarget = match?.kind === 'reference' && match.types.length === 1;
  const isOneToken = match?.kind === 'token' && match.code !== undefined;
  const isOneUri = match?.kind === 'uri' && match.mode === 'exact';
  if (!match || !(isOneTarget || isOneToken || isOneUri)) return undefined;
  const d = raw('d');
  const parameter = ids.idOf(driver.parameter);
  const where = [sql`d.parameter = ${parameter}`, valueSql(match, d), sql`d.part = 0`];
  if (match.kind === 'token' && match.system === undefined && match.code !== undefined) {
    // The same code in two systems would give the resource twice.
    where.push(sql`NOT EXISTS (SELECT 1 FROM search_token e WHERE e.parameter = ${parameter} AND e.code = ${match.code}
      AND e.rid = d.rid AND e.part = 0 AND e.system < d.system)`);
  }
  if (after) where.push(sql`d.rid > ${after.rid}`);
  where.push(sql`r.rid = d.rid`, ...baseSql(query), ...rest.map((condition) => conditionSql(condition, R, ids)));
  return sql`SELECT ${FOUND_COLUMNS} FROM ${tableOf(match.kind)} d CROSS JOIN resource r WHERE ${and(where)}
    ORDER BY d.rid LIMIT ${limit}`;
}

function inRowOrder(
  query: SearchQuery,
  driver: Condition | undefined,
  rest: Condition[],
  after: Position | undefined,
  limit: number,
  context: PlanContext,
): Fragment {
  const { from, where } = source(query, driver, rest, context);
  if (after) where.push(sql`r.rid > ${after.rid}`);
  return sql`SELECT ${FOUND_COLUMNS} FROM ${from} WHERE ${and(where)} ORDER BY r.rid LIMIT ${limit}`;
}

function alongLastUpdated(
  query: SearchQuery,
  conditions: readonly Condition[],
  after: Position | undefined,
  limit: number,
  { ids }: PlanContext,
): Fragment {
  const where = [...baseSql(query), ...conditions.map((condition) => conditionSql(condition, R, ids))];
  const down = isDescending(query.sort);
  if (after) {
    where.push(sql`(r.updated, r.rid) ${raw(down ? '<' : '>')} (${after.values[0] ?? 0}, ${after.rid})`);
  }
  const order = raw(down ? 'r.updated DESC, r.rid DESC' : 'r.updated, r.rid');
  return sql`SELECT ${FOUND_COLUMNS}, r.updated AS k0 FROM resource r WHERE ${and(where)} ORDER BY ${order} LIMIT ${limit}`;
}

/** Sorts keys and row numbers only; the resources themselves are read for the page alone. */
function sorted(
  query: SearchQuery,
  driver: Condition | undefined,
  rest: Condition[],
  after: Position | undefined,
  limit: number,
  context: PlanContext,
): Fragment {
  const { from, where } = source(query, driver, rest, context);
  const keys = query.sort.map((key, i) => sql`${sortValueSql(key, R, context.ids)} AS ${raw(`k${i}`)}`);
  const columns = keys.map((key) => key.text).join(', ');
  const selected = { text: columns, params: keys.flatMap((key) => key.params) };
  const all = sql`SELECT r.rid AS rid, ${selected} FROM ${from} WHERE ${and(where)}`;
  const later = after ? sql` WHERE ${afterSql(query.sort, after, 'a')}` : raw('');
  const page = sql`SELECT a.* FROM (${all}) a${later} ORDER BY ${orderSql(query.sort, 'a')} LIMIT ${limit}`;
  const values = raw(query.sort.map((_, i) => `m.k${i}`).join(', '));
  return sql`SELECT ${FOUND_COLUMNS}, ${values} FROM (${page}) m CROSS JOIN resource r WHERE r.rid = m.rid
    ORDER BY ${orderSql(query.sort, 'm')}`;
}
