// The audit trail as a part of a running Baton: sealed about once a minute and at the end, thinned once a day, verified when
// somebody asks.
import type { Logger } from 'pino';
import type { Keys } from '../access/keys.ts';
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import { removeOld } from './retention.ts';
import { sealFile } from './seal-file.ts';
import { newestSeal } from './seal-rows.ts';
import { createSealer } from './sealer.ts';
import { type TrailVerdict, verifyTrail } from './verify.ts';

export interface TrailOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keys: Pick<Keys, 'token' | 'jwks'>;
  /** Where audit-seals.jsonl is; absent: seals are in the database only. */
  readonly dataDir: string | undefined;
  /** Absent: records are kept for ever. */
  readonly keepDays?: number | undefined;
}

export interface Trail {
  /** @param elsewhere seals that were kept elsewhere */
  verify(elsewhere?: readonly string[]): Promise<TrailVerdict>;
  /** Seals what is new, also when it is only waiting to be written. False when another process is at it. */
  seal(): Promise<boolean>;
  /** The newest seal, as a compact JWS; undefined when there is none yet. */
  newest(): Promise<string | undefined>;
  /** The heartbeat: seals when a minute has passed, and removes old records when a day has. */
  tick(): Promise<void>;
}

const SEAL_EVERY = 60_000;
const REMOVE_EVERY = 86_400_000;

export function createTrail(options: TrailOptions): Trail {
  const { store, clock, log, keys, dataDir, keepDays } = options;
  const file = dataDir === undefined ? undefined : sealFile(dataDir);
  const sealer = createSealer({ store, clock, log, key: keys.token, file });
  let removedAt = Number.NEGATIVE_INFINITY;

  const now = () => clock.real().epochMilliseconds;

  /** Whether anything was recorded since any process has sealed, and that was a minute ago. */
  async function isDue(): Promise<boolean> {
    const [head] = await store.query('SELECT MAX(sequence) AS sequence FROM audit');
    const last = await newestSeal(store, 'seal');
    return Number(head?.sequence ?? 0) !== (last?.sequence ?? 0) && now() - (last?.sealed ?? 0) >= SEAL_EVERY;
  }

  async function seal(): Promise<boolean> {
    return sealer.alone(async (lease) => void (await sealer.sealNewest(lease)));
  }

  async function remove(days: number): Promise<void> {
    removedAt = now();
    await sealer.alone(async (lease) => {
      const removed = await removeOld({ store, clock, sealer, keepDays: days }, lease);
      if (removed > 0) log.info({ removed, keepDays: days }, 'audit records that were kept long enough are removed');
    });
  }

  return {
    verify: (elsewhere) =>
      verifyTrail({ store, jwks: keys.jwks, file, ...(elsewhere === undefined ? {} : { elsewhere }) }),
    seal,
    async newest() {
      return (await newestSeal(store, 'seal'))?.jws;
    },
    async tick() {
      if (await isDue()) await seal();
      if (keepDays !== undefined && now() - removedAt >= REMOVE_EVERY) await remove(keepDays);
    },
  };
}
