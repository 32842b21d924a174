// The statements that read one page, one for each way to walk.
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import { conditionSql } from './condition-sql.ts';
import type { Position } from './cursor.ts';
import { FOUND_COLUMNS } from './found-rows.ts';
import { and, atMost, type Fragment, raw, sql } from './fragment.ts';
import { baseSql, matchSource, R, type Source } from './match-source.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { afterSql, isDescending, orderSql, sortValueSql } from './sort-sql.ts';
import { tableOf, valueSql } from './value-sql.ts';

/** The index of a single value is in row order: pages need neither sorting nor a list of all candidates. */
export function alongOneValue(
  query: SearchQuery,
  driver: Condition,
  rest: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Fragment | undefined {
  if (driver.kind !== 'match' || driver.negated || driver.anyOf.length !== 1) return undefined;
  const [match] = driver.anyOf;
  const isOneTarget = match?.kind === 'reference' && match.mode === undefined && match.types.length === 1;
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
    ORDER BY d.rid ${atMost(limit)}`;
}

/** In row order: all candidates, or the whole type. */
export function inRowOrder(
  query: SearchQuery,
  driver: Condition | undefined,
  rest: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Fragment {
  const { from, where } = matchSource(query, driver, rest, ids);
  if (after) where.push(sql`r.rid > ${after.rid}`);
  const order = sql`ORDER BY r.rid ${atMost(limit)}`;
  if (!driver) return sql`SELECT ${FOUND_COLUMNS} FROM ${from} WHERE ${and(where)} ${order}`;
  // Only row numbers are sorted; the resources themselves are read for the page alone.
  const page = sql`SELECT r.rid AS rid FROM ${from} WHERE ${and(where)} ${order}`;
  return sql`SELECT ${FOUND_COLUMNS} FROM (${page}) m CROSS JOIN resource r WHERE r.rid = m.rid ORDER BY m.rid`;
}

/** In _lastUpdated order along the type. */
export function alongLastUpdated(
  query: SearchQuery,
  conditions: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Fragment {
  const where = [...baseSql(query), ...conditions.map((condition) => conditionSql(condition, R, ids))];
  const down = isDescending(query.sort);
  if (after) {
    where.push(sql`(r.updated, r.rid) ${raw(down ? '<' : '>')} (${after.values[0] ?? 0}, ${after.rid})`);
  }
  const order = raw(down ? 'r.updated DESC, r.rid DESC' : 'r.updated, r.rid');
  return sql`SELECT ${FOUND_COLUMNS}, r.updated AS k0 FROM resource r WHERE ${and(where)} ORDER BY ${order} ${atMost(limit)}`;
}

/** In order of their ids along the type. */
export function alongId(
  query: SearchQuery,
  conditions: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Fragment {
  const where = [...baseSql(query), ...conditions.map((condition) => conditionSql(condition, R, ids))];
  const down = isDescending(query.sort);
  if (after) where.push(sql`r.id ${raw(down ? '<' : '>')} ${after.values[0] ?? ''}`);
  return sql`SELECT ${FOUND_COLUMNS}, r.id AS k0 FROM resource r WHERE ${and(where)}
    ORDER BY r.id${raw(down ? ' DESC' : '')} ${atMost(limit)}`;
}

/** Sorts keys and row numbers only; the resources themselves are read for the page alone. */
export function sorted(
  query: SearchQuery,
  { from, where }: Source,
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Fragment {
  const keys = query.sort.map((key, i) => sql`${sortValueSql(key, R, ids)} AS ${raw(`k${i}`)}`);
  const columns = keys.map((key) => key.text).join(', ');
  const selected = { text: columns, params: keys.flatMap((key) => key.params) };
  const all = sql`SELECT r.rid AS rid, ${selected} FROM ${from} WHERE ${and(where)}`;
  const later = after ? sql` WHERE ${afterSql(query.sort, after, 'a')}` : raw('');
  const page = sql`SELECT a.* FROM (${all}) a${later} ORDER BY ${orderSql(query.sort, 'a')} ${atMost(limit)}`;
  const values = raw(query.sort.map((_, i) => `m.k${i}`).join(', '));
  return sql`SELECT ${FOUND_COLUMNS}, ${values} FROM (${page}) m CROSS JOIN resource r WHERE r.rid = m.rid
    ORDER BY ${orderSql(query.sort, 'm')}`;
}
