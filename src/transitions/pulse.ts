// How the clockwork is doing: what this process saw, in memory, and when any process last did its rounds, in the store. Read
// by the watchdog, /readyz and /metrics. Measured by the machine's clock: the sandbox moves the other one.
import type { Clock } from '../clock.ts';
import { BATON, type Store } from '../store/store.ts';

export interface PulseStatus {
  /** Since a beat of any process ended well; before the first ever, since this process started. */
  readonly secondsSinceBeat: number;
  /** Since a beat of this process ended well, or since it started. */
  readonly ownSecondsSinceBeat: number;
  /** Since when sweeps leave something that is due; 0 when the last one left nothing. */
  readonly secondsBehind: number;
  /** This machine's clock against the database's, when last compared. */
  readonly secondsAhead: number;
  /** Of this process since it started. */
  readonly missedBeats: number;
  readonly failedBeats: number;
}

export interface Pulse {
  failed(): void;
  missed(): void;
  /** @param left whether something due was not acted on */
  swept(left: boolean): void;
  compared(secondsAhead: number): void;
  /** A beat ended well. */
  keep(): Promise<void>;
  status(): Promise<PulseStatus>;
  /** As far as this process knows by itself, for when the store cannot be asked. */
  own(): PulseStatus;
}

const NAME = 'follow-ups';
const SELECT = 'SELECT at, behind_since FROM beat WHERE name = ?';
const KEEP = `INSERT INTO beat (name, at, behind_since) VALUES (?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET at = excluded.at, behind_since = CASE
    WHEN excluded.behind_since = 0 OR beat.behind_since = 0 THEN excluded.behind_since ELSE beat.behind_since END`;

export function createPulse(store: Store, clock: Clock): Pulse {
  const now = () => clock.real().epochMilliseconds;
  const secondsSince = (moment: number) => Math.max(0, Math.floor((now() - moment) / 1000));
  let own = now();
  let isBehind = false;
  let [secondsAhead, missedBeats, failedBeats] = [0, 0, 0];
  function ofProcess(): PulseStatus {
    const since = secondsSince(own);
    return {
      ...{ secondsSinceBeat: since, ownSecondsSinceBeat: since, secondsBehind: 0 },
      ...{ secondsAhead, missedBeats, failedBeats },
    };
  }
  return {
    failed() {
      failedBeats += 1;
    },
    missed() {
      missedBeats += 1;
    },
    swept(left) {
      isBehind = left;
    },
    compared(ahead) {
      secondsAhead = ahead;
    },
    async keep() {
      await store.commit(BATON, [], [{ sql: KEEP, params: [NAME, now(), isBehind ? now() : 0] }]);
      own = now();
    },
    async status() {
      const [row] = await store.query(SELECT, [NAME]);
      const behindSince = Number(row?.behind_since ?? 0);
      return {
        ...ofProcess(),
        ...(row ? { secondsSinceBeat: secondsSince(Number(row.at)) } : {}),
        secondsBehind: behindSince === 0 ? 0 : secondsSince(behindSince),
      };
    },
    own: ofProcess,
  };
}
