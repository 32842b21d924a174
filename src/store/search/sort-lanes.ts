// The indexes that hold the values of a sort key in order. A period without a start is sorted by its end, so dates are
// walked along two.
import { BEGINNING } from '../../fhir/search/date-range.ts';
import type { SortKey, ValueKind } from '../../fhir/search/query.ts';
import type { SqlRow } from '../store.ts';
import { type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { filledSql } from './sort-sql.ts';

export interface Lane {
  /** The column that stands for the value. */
  readonly column: string;
  /** Which rows are in it, as a predicate on the alias. */
  readonly rows: (alias: string) => string;
}

const ALL = () => '1 = 1';

const LANES: Readonly<Record<ValueKind, readonly Lane[]>> = {
  token: [{ column: 'code', rows: (alias) => filledSql('token', alias) }],
  reference: [{ column: 'target_id', rows: (alias) => filledSql('reference', alias) }],
  date: [
    { column: 'low', rows: (alias) => `${alias}.low > ${BEGINNING}` },
    { column: 'high', rows: (alias) => `${alias}.low = ${BEGINNING}` },
  ],
  string: [{ column: 'head', rows: ALL }],
  number: [{ column: 'low', rows: ALL }],
  quantity: [{ column: 'low', rows: ALL }],
  uri: [{ column: 'value', rows: ALL }],
};

/** What tells rows of one resource apart that have the same sort value. */
const OTHERS: Readonly<Record<ValueKind, readonly string[]>> = {
  token: ['system'],
  reference: ['target_type'],
  date: ['low', 'high'],
  string: ['value', 'exact'],
  number: ['high'],
  quantity: ['high', 'system', 'code', 'unit'],
  uri: [],
};

export function lanesOf(kind: ValueKind): readonly Lane[] {
  return LANES[kind];
}

/** Rows of several lanes in one order. Only dates, whose values are numbers, have several. */
export function laneOrder(descending: boolean): (a: SqlRow, b: SqlRow) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => sign * (Number(a.k0) - Number(b.k0) || Number(a.rid) - Number(b.rid));
}

/** Of several values of one resource only the lowest (descending: the highest) counts; this is it. */
export function isOneOf(key: SortKey & { values: ValueKind }, v: Fragment, ids: ParameterIds): Fragment {
  const value = (alias: string) => sortedValue(key.values, alias);
  const earlier = key.descending ? '>' : '<';
  const others = OTHERS[key.values];
  const columns = (alias: string) => others.map((column) => `${alias}.${column}`).join(', ');
  const tie =
    others.length > 0 ? ` OR (${value('e')} = ${value(v.text)} AND (${columns('e')}) < (${columns(v.text)}))` : '';
  const filled = raw(` AND ${filledSql(key.values, 'e')}`);
  // An expression, lest SQLite walks the index of all resources' values for every row.
  return sql`NOT EXISTS (SELECT 1 FROM ${raw(`search_${key.values}`)} e WHERE e.rid = ${v}.rid
    AND e.parameter + 0 = ${ids.idOf(key.parameter)}${filled} AND (${raw(`${value('e')} ${earlier} ${value(v.text)}${tie}`)}))`;
}

function sortedValue(kind: ValueKind, alias: string): string {
  if (kind === 'date') return `CASE WHEN ${alias}.low = ${BEGINNING} THEN ${alias}.high ELSE ${alias}.low END`;
  return `${alias}.${LANES[kind][0]?.column}`;
}
