// Writes and removes the search rows of one resource.
import type { IndexRows } from '../../fhir/search/index-rows.ts';
import type { ValueKind } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SqlValue } from '../store.ts';

const COLUMNS = {
  token: ['parameter', 'part', 'system', 'code'],
  reference: ['parameter', 'part', 'target_type', 'target_id'],
  date: ['parameter', 'part', 'low', 'high'],
  string: ['parameter', 'part', 'value', 'exact'],
  number: ['parameter', 'part', 'low', 'high'],
  quantity: ['parameter', 'part', 'low', 'high', 'system', 'code', 'unit'],
  uri: ['parameter', 'part', 'value'],
} as const satisfies Record<ValueKind, readonly string[]>;

const KINDS = Object.keys(COLUMNS) as ValueKind[];

/** Rows per statement: few sizes, so that few statement texts exist. */
const BATCHES = [16, 4, 1] as const;

export async function insertRows(tx: Sql, rid: number, rows: IndexRows): Promise<void> {
  for (const kind of KINDS) {
    const all = rows[kind];
    let start = 0;
    for (const size of BATCHES) {
      while (all.length - start >= size) {
        const params: SqlValue[] = [];
        for (const row of all.slice(start, start + size)) params.push(rid, ...row);
        await tx.run(INSERTS[kind][size], params);
        start += size;
      }
    }
  }
}

export async function deleteRows(tx: Sql, rid: number): Promise<void> {
  for (const kind of KINDS) await tx.run(`DELETE FROM search_${kind} WHERE rid = ?`, [rid]);
}

const INSERTS = Object.fromEntries(KINDS.map((kind) => [kind, insertTexts(kind)])) as Record<
  ValueKind,
  Record<(typeof BATCHES)[number], string>
>;

function insertTexts(kind: ValueKind): Record<(typeof BATCHES)[number], string> {
  const columns = ['rid', ...COLUMNS[kind]];
  const row = `(${columns.map(() => '?').join(', ')})`;
  const text = (size: number) =>
    `INSERT INTO search_${kind} (${columns.join(', ')}) VALUES ${Array.from({ length: size }, () => row).join(', ')}
    ON CONFLICT DO NOTHING`;
  return { 16: text(16), 4: text(4), 1: text(1) };
}
