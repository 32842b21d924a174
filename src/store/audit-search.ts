// Finds records of the audit trail: tests on their columns, newest or oldest first, paged by keyset. What an index cannot
// find at once is looked for slice by slice, so that a search for something rare in a long trail holds up nobody.
import { ALWAYS, type AuditSlice, auditSlices, type TimeBounds } from './audit-slices.ts';
import type { SqlRow, SqlValue, Store } from './store.ts';

/** A record as it stands in the trail. */
export interface AuditRow {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly recorded: number;
  readonly actor: string;
  readonly kind: string;
  readonly client: string | null;
  readonly origin: string | null;
  readonly address: string | null;
  readonly purposes: readonly string[];
  readonly emergency: string | null;
  readonly request: string | null;
  readonly interaction: string;
  readonly action: string;
  readonly status: number;
  readonly type: string | null;
  readonly id: string | null;
  readonly version: number | null;
  readonly patients: readonly string[];
  readonly query: string | null;
}

type TextColumn = 'actor' | 'kind' | 'client' | 'address' | 'interaction' | 'action' | 'type' | 'id';
type NumberColumn = 'sequence' | 'recorded' | 'status' | 'version';

/** Something that must hold of a record. */
export type AuditTest =
  | { readonly column: TextColumn; readonly is: readonly string[] }
  | { readonly column: TextColumn; readonly startsWith: string }
  /** Half-open; an end that is absent is open. */
  | { readonly column: NumberColumn; readonly from?: number; readonly below?: number }
  /** About one of these patients. */
  | { readonly patients: readonly string[] }
  | { readonly any: readonly AuditTest[] }
  | { readonly all: readonly AuditTest[] }
  | { readonly not: AuditTest };

export interface AuditSearch {
  /** All of them must hold. */
  readonly tests: readonly AuditTest[];
  /** Oldest first; newest first otherwise. */
  readonly ascending: boolean;
  readonly count: number;
  /** Where the page begins: the last record of the page before. */
  readonly after?: AuditPosition | undefined;
}

export interface AuditPosition {
  readonly recorded: number;
  readonly sequence: number;
}

const COLUMNS =
  'sequence, recorded, actor, kind, client, origin, address, purposes, emergency, request, interaction, action, status, type, id, version, patient, further, query';

/** Numbers of the blocks that the trail is indexed in (migration 0007), for every statement that asks an index. */
const BLOCKS = `WITH RECURSIVE block (n) AS (SELECT CAST(? AS BIGINT) / 4096 UNION ALL
  SELECT n + 1 FROM block WHERE n < CAST(? AS BIGINT) / 4096)`;
/** Not in one SELECT: SQLite would read the whole trail for that. */
const ENDS = 'SELECT (SELECT MIN(sequence) FROM audit) AS first, (SELECT MAX(sequence) FROM audit) AS last';
const INDEXED: ReadonlySet<string> = new Set<TextColumn>(['actor', 'id']);

/** Sequences of the records whose indexed column is as the comparison says. */
const inBlocks = (column: string, comparison: string) =>
  `SELECT a.sequence FROM block b CROSS JOIN audit a WHERE a.sequence / 4096 = b.n AND a.${column} ${comparison}`;

interface Sql {
  readonly text: string;
  readonly params: readonly SqlValue[];
}

/** @returns one record more than `count` when there is another page */
export async function searchAudit(store: Pick<Store, 'query'>, search: AuditSearch): Promise<AuditRow[]> {
  const { tests, ascending, after, count } = search;
  const where = joined([...tests.map(testSql), ...(after ? [keyset(after, ascending)] : [])], 'AND');
  const order = ascending ? 'ASC' : 'DESC';
  const found: AuditRow[] = [];
  for await (const { blocks, within } of partsOf(store, search)) {
    const { text, params } = joined([where, ...within], 'AND');
    const sql = `${BLOCKS} SELECT ${COLUMNS} FROM audit WHERE ${text} ORDER BY recorded ${order}, sequence ${order} LIMIT ?`;
    const rows = await store.query(sql, [...blocks, ...params, count + 1 - found.length]);
    found.push(...rows.map(auditRow));
    if (found.length > count) break;
  }
  return found;
}

/** How many records pass all tests. */
export async function countAudit(store: Pick<Store, 'query'>, tests: readonly AuditTest[]): Promise<number> {
  const where = joined(tests.map(testSql), 'AND');
  let total = 0;
  for await (const { blocks, within } of partsOf(store, { tests, ascending: true })) {
    const { text, params } = joined([where, ...within], 'AND');
    const [row] = await store.query(`${BLOCKS} SELECT COUNT(*) AS total FROM audit WHERE ${text}`, [
      ...blocks,
      ...params,
    ]);
    total += Number(row?.total ?? 0);
  }
  return total;
}

interface Part {
  /** Least and greatest sequence. */
  readonly blocks: readonly [number, number];
  readonly within: readonly Sql[];
}

/** What to look through, one after the other: the trail at once when the tests name a patient or a resource. */
async function* partsOf(
  store: Pick<Store, 'query'>,
  { tests, ascending, after }: Pick<AuditSearch, 'tests' | 'ascending' | 'after'>,
): AsyncGenerator<Part> {
  if (tests.some(isNarrow)) {
    const [ends] = await store.query(ENDS);
    if (ends?.first != null) yield { blocks: [Number(ends.first), Number(ends.last)], within: [] };
    return;
  }
  const reached = after
    ? [ascending ? { ...ALWAYS, from: after.recorded } : { ...ALWAYS, below: after.recorded + 1 }]
    : [];
  for await (const slice of auditSlices(store, [...tests.map(boundsOf), ...reached].reduce(both, ALWAYS), ascending)) {
    yield { blocks: [slice.first, slice.last], within: [inSlice(slice)] };
  }
}

/** Few records pass it, and an index finds them. */
function isNarrow(test: AuditTest): boolean {
  if ('patients' in test) return true;
  if ('any' in test) return test.any.every(isNarrow);
  if ('all' in test) return test.all.some(isNarrow);
  if ('not' in test) return false;
  return test.column === 'id' || test.column === 'sequence';
}

/** When a record that passes was recorded; as far as is easily told. */
function boundsOf(test: AuditTest): TimeBounds {
  if ('all' in test) return test.all.map(boundsOf).reduce(both, ALWAYS);
  const [only, another] = 'any' in test ? test.any : [];
  if (only && !another) return boundsOf(only);
  if (!('column' in test) || test.column !== 'recorded') return ALWAYS;
  return { from: test.from ?? ALWAYS.from, below: test.below ?? ALWAYS.below };
}

const both = (a: TimeBounds, b: TimeBounds): TimeBounds => ({
  from: Math.max(a.from, b.from),
  below: Math.min(a.below, b.below),
});

const inSlice = ({ from, below }: AuditSlice): Sql => ({
  text: 'recorded >= ? AND recorded < ?',
  params: [from, below],
});

export async function readAudit(store: Pick<Store, 'query'>, sequence: number): Promise<AuditRow | undefined> {
  const [row] = await store.query(`SELECT ${COLUMNS} FROM audit WHERE sequence = ?`, [sequence]);
  return row && auditRow(row);
}

function keyset({ recorded, sequence }: AuditPosition, ascending: boolean): Sql {
  const beyond = ascending ? '>' : '<';
  return {
    text: `recorded ${beyond}= ? AND (recorded ${beyond} ? OR sequence ${beyond} ?)`,
    params: [recorded, recorded, sequence],
  };
}

function testSql(test: AuditTest): Sql {
  if ('patients' in test) {
    const { text, params } = among(test.patients);
    const found = `${inBlocks('patient', text)} UNION ALL SELECT sequence FROM audit_further WHERE patient ${text}`;
    return { text: `sequence IN (${found})`, params: [...params, ...params] };
  }
  if ('any' in test) return joined(test.any.map(testSql), 'OR');
  if ('all' in test) return joined(test.all.map(testSql), 'AND');
  if ('not' in test) {
    const { text, params } = testSql(test.not);
    return { text: `NOT (${text})`, params };
  }
  const { column } = test;
  if ('is' in test) {
    const { text, params } = among(test.is);
    return { text: INDEXED.has(column) ? `sequence IN (${inBlocks(column, text)})` : `${column} ${text}`, params };
  }
  if ('startsWith' in test) {
    return { text: `substr(${column}, 1, ?) = ?`, params: [[...test.startsWith].length, test.startsWith] };
  }
  const bounds: Sql[] = [];
  if (test.from !== undefined) bounds.push({ text: `${column} >= ?`, params: [test.from] });
  if (test.below !== undefined) bounds.push({ text: `${column} < ?`, params: [test.below] });
  return joined(bounds, 'AND');
}

function among(values: readonly string[]): Sql {
  return values.length === 1
    ? { text: '= ?', params: values }
    : { text: `IN (${values.map(() => '?').join(', ')})`, params: values };
}

function joined(parts: readonly Sql[], word: 'AND' | 'OR'): Sql {
  if (parts.length === 0) return { text: word === 'AND' ? '1 = 1' : '1 = 0', params: [] };
  return {
    text: parts.map(({ text }) => (parts.length === 1 ? text : `(${text})`)).join(` ${word} `),
    params: parts.flatMap(({ params }) => params),
  };
}

function auditRow(row: SqlRow): AuditRow {
  const { patient, further, purposes, ...rest } = row;
  return {
    ...(rest as unknown as Omit<AuditRow, 'purposes' | 'patients'>),
    purposes: purposes === null ? [] : String(purposes).split(' '),
    patients: [...(patient === null ? [] : [String(patient)]), ...(further === null ? [] : String(further).split(' '))],
  };
}
