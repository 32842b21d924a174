// The table `audit_seal`: seals in the order in which they were made.
import { setImmediate } from 'node:timers/promises';
import type { SqlRow, Statement, Store } from '../store/store.ts';
import type { Seal } from './seal.ts';
import type { FiledSeal } from './seal-file.ts';

export interface SealRow extends FiledSeal, Pick<Seal, 'kind' | 'sequence' | 'hash'> {
  /** Epoch milliseconds. */
  readonly sealed: number;
  /** In the file, too. */
  readonly filed: boolean;
}

const COLUMNS = 'number, kind, sequence, hash, sealed, jws, filed';
const PAGE = `SELECT ${COLUMNS} FROM audit_seal WHERE number > ? ORDER BY number LIMIT 500`;
const NEWEST = `SELECT ${COLUMNS} FROM audit_seal ORDER BY number DESC LIMIT 1`;
const NEWEST_OF_KIND = `SELECT ${COLUMNS} FROM audit_seal WHERE kind = ? ORDER BY number DESC LIMIT 1`;
const FIRST_AFTER = `SELECT MIN(number) AS number FROM audit_seal WHERE kind = 'seal' AND sequence > ?`;
const INSERT = `INSERT INTO audit_seal (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0)`;
const FILED = 'UPDATE audit_seal SET filed = 1 WHERE filed = 0 AND number <= ?';
const FORGET = 'DELETE FROM audit_seal WHERE number < ?';

type Reader = Pick<Store, 'query'>;

/** Those after `number`, a page at a time. */
export async function* sealsAfter(store: Reader, number: number): AsyncGenerator<SealRow> {
  let after = number;
  for (;;) {
    const rows = (await store.query(PAGE, [after])).map(rowOf);
    yield* rows;
    const last = rows.at(-1);
    if (!last) return;
    after = last.number;
    await setImmediate();
  }
}

/** @param kind any when absent */
export async function newestSeal(store: Reader, kind?: Seal['kind']): Promise<SealRow | undefined> {
  const [row] = kind ? await store.query(NEWEST_OF_KIND, [kind]) : await store.query(NEWEST);
  return row && rowOf(row);
}

/** Number of the oldest seal about a record after `sequence`. */
export async function firstSealAfter(store: Reader, sequence: number): Promise<number | undefined> {
  const [row] = await store.query(FIRST_AFTER, [sequence]);
  return row?.number === null || row === undefined ? undefined : Number(row.number);
}

export function insertSeal({ number, kind, sequence, hash, time }: Seal, jws: string): Statement {
  const sealed = Temporal.Instant.from(time).epochMilliseconds;
  return { sql: INSERT, params: [number, kind, sequence, hash, sealed, jws], rows: 1 };
}

/** Says that the seals up to `number` are in the file. */
export const markFiled = (number: number): Statement => ({ sql: FILED, params: [number] });

/** Forgets the seals before `number`. */
export const forgetSeals = (number: number): Statement => ({ sql: FORGET, params: [number] });

function rowOf(row: SqlRow): SealRow {
  return {
    number: Number(row.number),
    kind: row.kind as Seal['kind'],
    sequence: Number(row.sequence),
    hash: String(row.hash),
    sealed: Number(row.sealed),
    jws: String(row.jws),
    filed: row.filed === 1,
  };
}
