// Reads a page in the order of the first sort key's index, without collecting all matches: for whole types, and for
// conditions that most resources fulfil. Resources without a value come after all others.
import type { Condition, SearchQuery, SortKey, ValueKind } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SqlRow } from '../store.ts';
import { conditionSql } from './condition-sql.ts';
import type { Position, SortValue } from './cursor.ts';
import { FOUND_COLUMNS } from './found-rows.ts';
import { and, atMost, type Fragment, join, raw, sql } from './fragment.ts';
import { among, baseSql, matchSource, R } from './match-source.ts';
import { sorted } from './page-sql.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { isOneOf, type Lane, laneOrder, lanesOf } from './sort-lanes.ts';
import { sortValueSql } from './sort-sql.ts';

/** Whether there is an index in the order of the first key. Those of shared parameters mix all types. */
export function canWalk({ sort, type }: SearchQuery): boolean {
  const [first] = sort;
  return first !== undefined && first.values !== 'id' && first.values !== 'updated' && first.parameter.type === type;
}

/** @throws Error unless `canWalk` */
export async function walkSorted(
  db: Sql,
  query: SearchQuery,
  conditions: readonly Condition[],
  after: Position | undefined,
  limit: number,
  ids: ParameterIds,
): Promise<SqlRow[]> {
  const walk: Walk = { db, query, conditions, ids, key: firstKey(query) };
  return query.sort.length === 1 ? walkOneKey(walk, after, limit) : walkToBoundary(walk, after, limit);
}

interface Walk {
  readonly db: Sql;
  readonly query: SearchQuery;
  readonly conditions: readonly Condition[];
  readonly ids: ParameterIds;
  readonly key: IndexedKey;
}

type IndexedKey = SortKey & { readonly values: ValueKind };

function firstKey({ sort: [first] }: SearchQuery): IndexedKey {
  if (!first || first.values === 'id' || first.values === 'updated')
    throw new Error('There is no index to walk along.');
  return { ...first, values: first.values };
}

async function walkOneKey(walk: Walk, after: Position | undefined, limit: number): Promise<SqlRow[]> {
  const isPast = after !== undefined && (after.values[0] ?? null) === null;
  const valued = isPast ? [] : await readValued(walk, after && [after.values[0] ?? null, after.rid], limit);
  if (valued.length >= limit) return valued;
  const without = await readWithout(walk, isPast ? after : undefined, limit - valued.length);
  return [...valued, ...without];
}

/**
 * With more keys: walks to find the value of the first key at which the page is surely full, then sorts what lies up to
 * there by all keys.
 */
async function walkToBoundary(walk: Walk, after: Position | undefined, limit: number): Promise<SqlRow[]> {
  const { db, query, conditions, ids, key } = walk;
  const from = after?.values[0] ?? null;
  const isPast = after !== undefined && from === null;
  const ahead = isPast ? [] : await readValued(walk, from === null ? undefined : [from], limit);
  const boundary = (ahead.at(-1)?.k0 ?? null) as SortValue;
  const isFull = ahead.length >= limit && boundary !== null;
  const filters = conditions.map((condition) => conditionSql(condition, R, ids));
  const source = isFull
    ? among(rangeSql(key, from, boundary, ids), [...baseSql(query), ...filters])
    : matchSource(query, undefined, conditions, ids);
  const { text, params } = sorted(query, source, after, limit, ids);
  return db.all(text, params);
}

/**
 * Matches that have a value, in order.
 * @param after value and row of the last one, or the value alone: then all rows with it are passed over
 */
async function readValued(
  walk: Walk,
  after: readonly [SortValue] | readonly [SortValue, number] | undefined,
  limit: number,
): Promise<SqlRow[]> {
  const { db, key } = walk;
  const lanes = lanesOf(key.values);
  const found: SqlRow[][] = [];
  for (const lane of lanes) {
    const { text, params } = laneSql(walk, lane, after, limit);
    found.push(await db.all(text, params));
  }
  const [only = []] = found;
  if (found.length === 1) return only;
  return found.flat().sort(laneOrder(key.descending)).slice(0, limit);
}

function laneSql(
  { query, conditions, ids, key }: Walk,
  lane: Lane,
  after: readonly [SortValue] | readonly [SortValue, number] | undefined,
  limit: number,
): Fragment {
  const v = raw('v');
  const column = raw(`v.${lane.column}`);
  const later = raw(key.descending ? '<' : '>');
  const where = [sql`v.parameter = ${ids.idOf(key.parameter)}`, raw(lane.rows('v')), sql`v.part = 0`];
  if (after?.length === 1) where.push(sql`${column} ${later} ${after[0]}`);
  if (after?.length === 2) where.push(sql`(${column}, v.rid) ${later} (${after[0]}, ${after[1]})`);
  where.push(sql`r.rid = v.rid`, ...baseSql(query), ...conditions.map((condition) => conditionSql(condition, R, ids)));
  where.push(isOneOf(key, v, ids));
  const down = raw(key.descending ? ' DESC' : '');
  return sql`SELECT ${FOUND_COLUMNS}, ${column} AS k0 FROM ${raw(`search_${key.values}`)} v CROSS JOIN resource r
    WHERE ${and(where)} ORDER BY ${column}${down}, v.rid${down} ${atMost(limit)}`;
}

/** Matches that have no value, in row order. */
async function readWithout(walk: Walk, after: Position | undefined, limit: number): Promise<SqlRow[]> {
  const { db, query, conditions, ids, key } = walk;
  const where = [...baseSql(query), ...conditions.map((condition) => conditionSql(condition, R, ids))];
  where.push(sql`${sortValueSql(key, R, ids)} IS NULL`);
  if (after) where.push(sql`r.rid ${raw(key.descending ? '<' : '>')} ${after.rid}`);
  const statement = sql`SELECT ${FOUND_COLUMNS}, NULL AS k0 FROM resource r WHERE ${and(where)}
    ORDER BY r.rid${raw(key.descending ? ' DESC' : '')} ${atMost(limit)}`;
  return db.all(statement.text, statement.params);
}

/** Rows with a value of the key from one end to the other, whichever is the higher. */
function rangeSql(key: IndexedKey, from: SortValue, to: SortValue, ids: ParameterIds): Fragment {
  const [low, high] = key.descending ? [to, from] : [from, to];
  const lanes = lanesOf(key.values).map((lane) => {
    const column = raw(`v.${lane.column}`);
    const where = [sql`v.parameter = ${ids.idOf(key.parameter)}`, raw(lane.rows('v'))];
    if (low !== null) where.push(sql`${column} >= ${low}`);
    if (high !== null) where.push(sql`${column} <= ${high}`);
    return sql`SELECT v.rid AS rid FROM ${raw(`search_${key.values}`)} v WHERE ${and(where)}`;
  });
  return join(lanes, ' UNION ALL ');
}
