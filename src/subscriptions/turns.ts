// Whose turn it is to be told. Each Subscription has turns of its own, one at a time in all processes, so that nobody waits for
// a subscriber that is slow.

import { asFault, traceOf } from '../fault.ts';
import { type Lease, withLease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { step } from './deliver.ts';
import { ACTOR, type Parts } from './parts.ts';
import { dueRows, readRow, restRow, type SubscriptionRow } from './subscription-rows.ts';

const LEASE = Temporal.Duration.from({ seconds: 60 });
const MOST_AT_ONCE = 50;
/** Longer than this nobody is told in one go, so that who is due meanwhile comes to its turn. */
const LONGEST_TURN_MS = 5_000;
/** After an error of ours. */
const REST_MINUTES = 1;

export interface Turns {
  /** Begins the turns of those who are due and have none; does not wait for their ends. */
  begin(): Promise<void>;
  /** When those that have begun are over. */
  ended(): Promise<unknown>;
  /** How many told or changed anything. */
  taken(): number;
  /** None begins afterwards, and what goes on ends after its next message. */
  stop(): void;
}

/** @param over called after each turn that told or changed anything: more may be due */
export function createTurns(parts: Parts, over: () => void): Turns {
  const { store, clock, log } = parts;
  const underWay = new Map<string, Promise<void>>();
  let taken = 0;
  let isStopped = false;

  /** Never rejects: what goes wrong with one is no reason to tell others less. */
  const take = async (id: string): Promise<boolean> => {
    try {
      const result = await withLease(store, clock, `subscription ${id}`, LEASE, (lease) => tell(id, lease));
      return result.held && result.value;
    } catch (error) {
      log.error({ ...traceOf(error), subscription: id }, 'a subscriber could not be told; it rests');
      const next = clock.real().add({ minutes: REST_MINUTES }).epochMilliseconds;
      await store.commit(ACTOR, [], [restRow(id, next, asFault(error).message)]).catch(() => undefined);
      return false;
    }
  };

  const tell = async (id: string, { fence, signal }: Lease): Promise<boolean> => {
    const until = clock.real().add({ milliseconds: LONGEST_TURN_MS });
    let isAnyTold = false;
    while (!isStopped && !signal.aborted && Temporal.Instant.compare(clock.real(), until) < 0) {
      // Read under the lease: another process may have told it since it was found due.
      const row = await readRow(store, id);
      const next = row && isDue(row) ? await stepped(row, fence) : 'nothing';
      if (next === 'nothing') break;
      isAnyTold = true;
      if (next === 'rest') break;
    }
    return isAnyTold;
  };

  const isDue = ({ state, nextAt, endsAt }: SubscriptionRow) => {
    const now = clock.real().epochMilliseconds;
    const isAtWork = state === 'requested' || state === 'active' || state === 'error';
    return isAtWork && [nextAt, endsAt].some((at) => at !== undefined && at <= now);
  };

  const stepped = async (row: SubscriptionRow, fence: Statement) => {
    try {
      return await step(parts, row, fence);
    } catch (error) {
      // Somebody changed it meanwhile: what is due is looked at anew.
      if (asFault(error).kind !== 'conflict' && asFault(error).kind !== 'precondition') throw error;
      log.debug({ subscription: row.id }, 'a Subscription changed while it was told');
      return 'rest';
    }
  };

  return {
    async begin() {
      if (isStopped) return;
      const due = await dueRows(store, clock.real().epochMilliseconds, MOST_AT_ONCE + underWay.size);
      const free = due.filter(({ id }) => !underWay.has(id)).slice(0, MOST_AT_ONCE - underWay.size);
      for (const { id } of free) {
        const turn = take(id).then((isAnyTold) => {
          underWay.delete(id);
          if (!isAnyTold) return;
          taken += 1;
          over();
        });
        underWay.set(id, turn);
      }
    },
    ended: () => Promise.all(underWay.values()),
    taken: () => taken,
    stop() {
      isStopped = true;
    },
  };
}
