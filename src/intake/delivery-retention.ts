// Takes deliveries away when they were kept long enough, in small commits, once a day, by one process. What was refused
// and not dismissed stays, however old it is: somebody may still have to repair it.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault } from '../fault.ts';
import { type Lease, withLease } from '../store/lease.ts';
import type { Actor, Store } from '../store/store.ts';

/** In days; nothing is removed without `keepDays`. */
export interface DeliveryKeeping {
  readonly keepDays?: number | undefined;
  /** Of messages that were accepted; as long as the others when absent, and never longer. */
  readonly keepSuccessfulDays?: number | undefined;
}

const REMOVER: Actor = { reference: 'Device/baton-retention', kind: 'service' };
const LEASE = Temporal.Duration.from({ seconds: 60 });
const DAY = 24 * 60 * 60_000;
const STEP = 1_000;
/** Commits per go; what is left goes with the next one. */
const MOST_STEPS = 500;

const OLD = "((outcome = 'AA' AND received < ?) OR (dismissed_by IS NOT NULL AND received < ?))";
const FOUND = `SELECT channel, key FROM delivery WHERE ${OLD} ORDER BY received LIMIT ${STEP}`;
const REMOVE = `DELETE FROM delivery WHERE ${OLD} AND (channel, key) IN (${FOUND})`;
const COUNT = `SELECT COUNT(*) AS n FROM (${FOUND}) AS found`;

export interface DeliveryRetention {
  /** To be called often; removes once a day. Resolves to how many went. */
  tick(): Promise<number>;
}

export function deliveryRetention(
  store: Store,
  clock: Clock,
  log: Logger,
  { keepDays, keepSuccessfulDays }: DeliveryKeeping,
): DeliveryRetention {
  let removedAt = Number.NEGATIVE_INFINITY;

  async function removeOld(days: number, lease: Lease): Promise<number> {
    const now = clock.now().epochMilliseconds;
    const before = [now - Math.min(keepSuccessfulDays ?? days, days) * DAY, now - days * DAY];
    let removed = 0;
    for (let step = 0; step < MOST_STEPS && !lease.signal.aborted; step += 1) {
      const [row] = await store.query(COUNT, before);
      const found = Number(row?.n ?? 0);
      if (found === 0) break;
      // The fence is first: whoever lost the lease removes nothing.
      await store.commit(REMOVER, [], [lease.fence, { sql: REMOVE, params: [...before, ...before] }]);
      removed += found;
    }
    return removed;
  }

  return {
    async tick() {
      if (keepDays === undefined || clock.real().epochMilliseconds - removedAt < DAY) return 0;
      removedAt = clock.real().epochMilliseconds;
      try {
        const result = await withLease(store, clock, 'deliveries:retention', LEASE, (lease) =>
          removeOld(keepDays, lease),
        );
        const removed = result.held ? result.value : 0;
        if (removed === 0) return 0;
        const query = new URLSearchParams({ count: String(removed), keepDays: String(keepDays) }).toString();
        store.audit({ actor: REMOVER, interaction: 'deliveries-removed', action: 'D', status: 200, query });
        log.info({ removed, keepDays }, 'deliveries that were kept long enough are removed');
        return removed;
      } catch (error) {
        if (asFault(error).kind === 'conflict') return 0;
        throw error;
      }
    },
  };
}
