// Sort keys as columns, and "after this position" as a predicate on them. Resources without a value come last,
// ascending and descending; ties are broken by row, in the direction of the first key.
import { BEGINNING } from '../../fhir/search/date-range.ts';
import type { SortKey, ValueKind } from '../../fhir/search/query.ts';
import type { Position, SortValue } from './cursor.ts';
import { and, type Fragment, join, or, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** The column that stands for a value of the kind in an order. */
const SORTED_BY = {
  token: 'v.code',
  reference: 'v.target_id',
  date: 'v.low',
  // The first hundred characters: that is what the index holds.
  string: 'v.head',
  number: 'v.low',
  quantity: 'v.low',
  uri: 'v.value',
} as const satisfies Record<ValueKind, string>;

/** Whether the row has something to sort by: a concept may have no code, and a reference no target. */
export function filledSql(kind: ValueKind, alias: string): string {
  const column = { token: 'code', reference: 'target_id' }[kind as string];
  return column === undefined ? '1 = 1' : `${alias}.${column} <> ''`;
}

/** The key's value of the resource in `row`: of several the lowest, or the highest when descending. NULL without any. */
export function sortValueSql(key: SortKey, row: Fragment, ids: ParameterIds): Fragment {
  if (key.values === 'updated') return sql`${row}.updated`;
  if (key.values === 'id') return sql`${row}.id`;
  const column = SORTED_BY[key.values];
  // An expression, because for the plain column SQLite walks the index by value instead of looking up the resource.
  // A period without a start is sorted by its end: all of them would tie otherwise.
  const [special, instead] = key.values === 'date' ? [`v.low = ${BEGINNING}`, 'v.high'] : ['v.rid IS NULL', 'NULL'];
  const value = raw(`${key.descending ? 'MAX' : 'MIN'}(CASE WHEN ${special} THEN ${instead} ELSE ${column} END)`);
  const filled = raw(` AND ${filledSql(key.values, 'v')}`);
  return sql`(SELECT ${value} FROM ${raw(`search_${key.values}`)} v
    WHERE v.rid = ${row}.rid AND v.parameter = ${ids.idOf(key.parameter)}${filled})`;
}

export function isDescending(keys: readonly SortKey[]): boolean {
  return keys[0]?.descending ?? false;
}

/** @param table alias that has the columns `k0`, `k1`, … and `rid` */
export function orderSql(keys: readonly SortKey[], table: string): Fragment {
  const parts = keys.map((key, i) => {
    const column = `${table}.k${i}`;
    const direction = key.descending ? ' DESC' : '';
    // Not `IS NULL` as a key of its own: SQLite would compute the value twice.
    return `${column}${direction}${canBeMissing(key) ? ' NULLS LAST' : ''}`;
  });
  parts.push(`${table}.rid${isDescending(keys) ? ' DESC' : ''}`);
  return raw(parts.join(', '));
}

/** Rows that come after the position. */
export function afterSql(keys: readonly SortKey[], position: Position, table: string): Fragment {
  const column = (i: number) => raw(`${table}.k${i}`);
  const equal = keys.map((_, i) => {
    const value = position.values[i] ?? null;
    return value === null ? sql`${column(i)} IS NULL` : sql`${column(i)} = ${value}`;
  });
  const ways = keys.flatMap((key, i) => {
    const after = laterSql(key, position.values[i] ?? null, column(i));
    return after ? [sql`(${join([...equal.slice(0, i), after], ' AND ')})`] : [];
  });
  const tie = sql`${raw(`${table}.rid ${isDescending(keys) ? '<' : '>'} `)}${position.rid}`;
  ways.push(sql`(${and([...equal, tie])})`);
  return or(ways);
}

function laterSql(key: SortKey, value: SortValue, column: Fragment): Fragment | undefined {
  if (value === null) return undefined;
  const later = sql`${column} ${raw(key.descending ? '<' : '>')} ${value}`;
  return canBeMissing(key) ? sql`(${later} OR ${column} IS NULL)` : later;
}

function canBeMissing(key: SortKey): boolean {
  return key.values !== 'id' && key.values !== 'updated';
}
