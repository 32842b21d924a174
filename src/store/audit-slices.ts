// The audit trail in slices of time, each small enough that looking through it keeps nobody waiting.
import { setImmediate as turn } from 'node:timers/promises';
import type { SqlValue, Store } from './store.ts';

/** Records of a slice; a few more when several have the time at which it ends. */
const RECORDS = 32_768;
/** Milliseconds since 1970; half-open. */
export interface TimeBounds {
  readonly from: number;
  readonly below: number;
}
export const ALWAYS: TimeBounds = { from: Number.MIN_SAFE_INTEGER, below: Number.MAX_SAFE_INTEGER };

export interface AuditSlice extends TimeBounds {
  /** Least and greatest sequence in it. */
  readonly first: number;
  readonly last: number;
}

/** Everything within the bounds, slice after slice; whoever waits has a turn between two. */
export async function* auditSlices(
  store: Pick<Store, 'query'>,
  bounds: TimeBounds,
  ascending: boolean,
): AsyncGenerator<AuditSlice> {
  let { from, below } = bounds;
  for (;;) {
    const edge = await edgeOf(store, { from, below }, ascending);
    const within = edge === undefined ? { from, below } : ascending ? { from, below: edge + 1 } : { from: edge, below };
    const sql = 'SELECT MIN(sequence) AS first, MAX(sequence) AS last FROM audit WHERE recorded >= ? AND recorded < ?';
    const [ends] = await store.query(sql, [within.from, within.below]);
    if (ends?.first != null) yield { ...within, first: Number(ends.first), last: Number(ends.last) };
    if (edge === undefined) return;
    if (ascending) from = within.below;
    else below = within.from;
    await turn();
  }
}

/** When the last record of the next slice was recorded; undefined when what is left is no more than one. */
async function edgeOf(
  store: Pick<Store, 'query'>,
  { from, below }: TimeBounds,
  ascending: boolean,
): Promise<number | undefined> {
  const sql = `SELECT recorded FROM audit WHERE recorded >= ? AND recorded < ?
    ORDER BY recorded ${ascending ? 'ASC' : 'DESC'} LIMIT 1 OFFSET ?`;
  const params: SqlValue[] = [from, below, RECORDS - 1];
  const [row] = await store.query(sql, params);
  return row && Number(row.recorded);
}
