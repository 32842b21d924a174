// Takes the oldest records away when they have been kept long enough. Each step is one commit: the records go, and a signed
// seal says where the trail begins from now on, so that what is left can still be proven.
import type { Clock } from '../clock.ts';
import type { Lease } from '../store/lease.ts';
import type { Store } from '../store/store.ts';
import { firstSealAfter, forgetSeals, newestSeal } from './seal-rows.ts';
import { type Sealer, TRAIL_ACTOR } from './sealer.ts';

/** Records per commit: other writers wait while they go. */
const STEP = 2_000;

// `+ 0` keeps the database from sorting everything that is younger: the answer is near the beginning.
const FIRST_YOUNG = 'SELECT sequence FROM audit WHERE recorded + 0 >= ? ORDER BY sequence LIMIT 1';
const HASH = 'SELECT hash FROM audit WHERE sequence = ?';
const REMOVE = 'DELETE FROM audit WHERE sequence <= ?';
const REMOVE_FURTHER = 'DELETE FROM audit_further WHERE sequence <= ?';

export interface Retention {
  readonly store: Store;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly keepDays: number;
}

/**
 * Removes what is older than `keepDays` and covered by a seal. The newest sealed record always stays: the next one is
 * chained to it.
 * @returns how many records went
 * @throws Fault conflict when records are missing already; then nothing more is removed
 */
export async function removeOld({ store, clock, sealer, keepDays }: Retention, lease: Lease): Promise<number> {
  const begin = (await newestSeal(store, 'beginning'))?.sequence ?? 0;
  const sealed = (await newestSeal(store, 'seal'))?.sequence ?? 0;
  const cutoff = clock.now().subtract({ hours: 24 * keepDays }).epochMilliseconds;
  const [young] = await store.query(FIRST_YOUNG, [cutoff]);
  const upto = Math.min(young ? Number(young.sequence) : Number.POSITIVE_INFINITY, sealed) - 1;
  let last = begin;
  while (last < upto && !lease.signal.aborted) {
    const sequence = Math.min(last + STEP, upto);
    const [row] = await store.query(HASH, [sequence]);
    const from = await firstSealAfter(store, sequence);
    if (!row || from === undefined) break;
    await sealer.add(lease, { kind: 'beginning', sequence, hash: String(row.hash), from }, [
      { sql: REMOVE, params: [sequence], rows: sequence - last },
      { sql: REMOVE_FURTHER, params: [sequence] },
      forgetSeals(from),
    ]);
    last = sequence;
  }
  const removed = last - begin;
  if (removed > 0) {
    const query = new URLSearchParams({ upto: String(last), count: String(removed), keepDays: String(keepDays) });
    store.audit({
      actor: TRAIL_ACTOR,
      interaction: 'audit-removed',
      action: 'D',
      status: 200,
      query: query.toString(),
    });
  }
  return removed;
}
