// Takes messages away when they were kept long enough, in small commits, once a day, by one process. Whatever somebody may
// still need to find out what happened stays, however old it is. docs/sync-spec.md#I22
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import { asFault } from '../../fault.ts';
import { type Lease, withLease } from '../../store/lease.ts';
import type { Actor, Store } from '../../store/store.ts';
import { isNewest } from '../push/outbox.ts';
import { WORDS_ON_QUARANTINED } from './message-log.ts';

/** In days; nothing is removed without `keepDays`. */
export interface MessageKeeping {
  readonly keepDays?: number | undefined;
  /** Of messages that succeeded; as long as the others when absent, and never longer. */
  readonly keepSuccessfulDays?: number | undefined;
}

export interface MessageRetention {
  /** To be called often; removes once a day. Resolves to how many went. */
  tick(): Promise<number>;
}

const REMOVER: Actor = { reference: 'Device/baton-retention', kind: 'service' };
const LEASE = Temporal.Duration.from({ seconds: 60 });
const DAY = 24 * 60 * 60_000;
/** Messages per commit: other writers wait while they go. */
const STEP = 1_000;
/** Commits per go; what is left goes with the next one. */
const MOST_STEPS = 500;

const ABOUT = 'other.connection = m.connection AND other.type = m.type';
/** Why a message stays although it is old. */
const NEEDED = [
  // Its resource waits for a decision.
  `EXISTS (SELECT 1 FROM conflict AS other WHERE ${ABOUT} AND other.state = 'open'
    AND (other.local_id = m.local_id OR other.remote_id = m.remote_id))`,
  // Its resource came in and waits until it is known who somebody is.
  `EXISTS (SELECT 1 FROM held_resource AS other WHERE ${ABOUT} AND other.remote_id = m.remote_id)`,
  // Its resource is to be sent, or was given up and has not been sent since.
  `EXISTS (SELECT 1 FROM outbox AS other WHERE ${ABOUT} AND other.local_id = m.local_id
    AND (other.state IN ('queued', 'sending', 'parked', 'withheld') OR (other.state = 'rejected' AND ${isNewest('other')})))`,
  // The newest word on a resource that could not be taken in. One without an id can never be.
  `(m.outcome = 'quarantined' AND m.remote_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message AS other
    WHERE ${ABOUT} AND other.remote_id = m.remote_id AND other.at > m.at
      AND other.outcome IN (${WORDS_ON_QUARANTINED})))`,
  // The newest of its stream.
  `(m.type IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message AS other
    WHERE ${ABOUT} AND other.direction = m.direction AND other.at > m.at))`,
];

const REMOVE = `DELETE FROM message WHERE id IN (SELECT m.id FROM message AS m
  WHERE m.at < ? AND (m.at < ? OR m.class = 'success')
    AND NOT ${NEEDED.join(' AND NOT ')} ORDER BY m.at LIMIT ${STEP})`;
const FIND = `SELECT COUNT(*) AS n FROM (SELECT m.id FROM message AS m
  WHERE m.at < ? AND (m.at < ? OR m.class = 'success') AND NOT ${NEEDED.join(' AND NOT ')} LIMIT ${STEP}) AS found`;

export function messageRetention(
  store: Store,
  clock: Clock,
  log: Logger,
  { keepDays, keepSuccessfulDays }: MessageKeeping,
): MessageRetention {
  const now = () => clock.real().epochMilliseconds;
  let removedAt = Number.NEGATIVE_INFINITY;

  async function removeOld(days: number, lease: Lease): Promise<number> {
    const failed = now() - days * DAY;
    const successful = now() - Math.min(keepSuccessfulDays ?? days, days) * DAY;
    let removed = 0;
    for (let step = 0; step < MOST_STEPS && !lease.signal.aborted; step += 1) {
      const [row] = await store.query(FIND, [successful, failed]);
      const found = Number(row?.n ?? 0);
      if (found === 0) break;
      // The fence is first: whoever lost the lease removes nothing.
      await store.commit(REMOVER, [], [lease.fence, { sql: REMOVE, params: [successful, failed] }]);
      removed += found;
    }
    return removed;
  }

  return {
    async tick() {
      if (keepDays === undefined || now() - removedAt < DAY) return 0;
      removedAt = now();
      try {
        const result = await withLease(store, clock, 'messages:retention', LEASE, (lease) =>
          removeOld(keepDays, lease),
        );
        const removed = result.held ? result.value : 0;
        if (removed === 0) return 0;
        const query = new URLSearchParams({ count: String(removed), keepDays: String(keepDays) }).toString();
        store.audit({ actor: REMOVER, interaction: 'messages-removed', action: 'D', status: 200, query });
        log.info({ removed, keepDays }, 'messages that were kept long enough are removed');
        return removed;
      } catch (error) {
        if (asFault(error).kind === 'conflict') return 0;
        throw error;
      }
    },
  };
}
