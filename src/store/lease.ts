// A lease lets one process at a time do a thing, and gives it up by itself when that process dies.

import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { isAbandoned, newToken } from './holder.ts';
import { BATON, type Statement, type Store } from './store.ts';

/** What the holder of a lease is given. */
export interface Lease {
  /** Put in `alongside` of every commit made under the lease: it fails with a conflict once the lease is lost. */
  readonly fence: Statement;
  /** Aborted when the lease could not be renewed. */
  readonly signal: AbortSignal;
}

export type LeaseResult<T> = { readonly held: true; readonly value: T } | { readonly held: false };

const ACQUIRE = `INSERT INTO lease (name, token, until) VALUES (?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET token = excluded.token, until = excluded.until
  WHERE lease.until <= ? OR lease.token = ?`;
const HOLDER = 'SELECT token FROM lease WHERE name = ?';
const RENEW = 'UPDATE lease SET until = ? WHERE name = ? AND token = ?';
const FENCE = 'UPDATE lease SET token = token WHERE name = ? AND token = ?';
const RELEASE = 'DELETE FROM lease WHERE name = ? AND token = ?';

/**
 * Does `work` unless somebody else holds the lease, renewing it at half of `duration` as long as the work takes. Time is
 * the machine's, not the sandbox's.
 * @returns `held: false` when somebody else holds it
 */
export async function withLease<T>(
  store: Store,
  clock: Clock,
  name: string,
  duration: Temporal.Duration,
  work: (lease: Lease) => Promise<T>,
): Promise<LeaseResult<T>> {
  const token = newToken();
  const milliseconds = duration.total('milliseconds');
  const now = () => clock.real().epochMilliseconds;
  const taken = await changed(store, ACQUIRE, [name, token, now() + milliseconds, now(), await abandoned(store, name)]);
  if (!taken) return { held: false };
  const lost = new AbortController();
  const done = new AbortController();
  const renewing = keep();
  try {
    const fence = { sql: FENCE, params: [name, token], rows: 1 };
    return { held: true, value: await work({ fence, signal: lost.signal }) };
  } finally {
    done.abort();
    await renewing;
    // A lease that cannot be given back, as when the store is closing, runs out by itself.
    await changed(store, RELEASE, [name, token]).catch(() => false);
  }

  async function keep(): Promise<void> {
    while (!lost.signal.aborted) {
      const stopped = await pause(milliseconds / 2, false, { signal: done.signal }).catch(() => true);
      if (stopped) return;
      const kept = await changed(store, RENEW, [now() + milliseconds, name, token]).catch(() => false);
      if (!kept) lost.abort();
    }
  }
}

/** The token of a holder that died; '' when there is none, which no token equals. */
async function abandoned(store: Store, name: string): Promise<string> {
  const [row] = await store.query(HOLDER, [name]);
  const token = String(row?.token ?? '');
  return isAbandoned(token) ? token : '';
}

/** Whether the statement changed its one row. */
async function changed(store: Store, sql: string, params: Statement['params']): Promise<boolean> {
  try {
    await store.commit(BATON, [], [{ sql, params, rows: 1 }]);
    return true;
  } catch (error) {
    if (error instanceof Fault && error.kind === 'conflict') return false;
    throw error;
  }
}
