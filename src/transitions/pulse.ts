// How the clockwork of this process is doing. Kept by whoever beats and sweeps, read by the watchdog, /readyz and /metrics.
// Measured by the machine's clock: the sandbox moves the other one.
import type { Clock } from '../clock.ts';

export interface PulseStatus {
  /** Since the last beat that ended well, or since the start while there was none. */
  readonly secondsSinceBeat: number;
  /** Since when sweeps leave something that is due; 0 when the last one left nothing. */
  readonly secondsBehind: number;
  /** This machine's clock against the database's, when last compared. */
  readonly secondsAhead: number;
  /** Since the start of the process. */
  readonly missedBeats: number;
  readonly failedBeats: number;
  readonly beats: number;
}

export interface Pulse {
  beaten(): void;
  failed(): void;
  missed(): void;
  /** @param left whether something due was not acted on */
  swept(left: boolean): void;
  compared(secondsAhead: number): void;
  status(): PulseStatus;
}

export function createPulse(clock: Clock): Pulse {
  let lastBeat = clock.real();
  let behindSince: Temporal.Instant | undefined;
  let secondsAhead = 0;
  let [beats, missedBeats, failedBeats] = [0, 0, 0];
  const secondsSince = (moment: Temporal.Instant) =>
    Math.max(0, Math.floor(moment.until(clock.real()).total('seconds')));
  return {
    beaten() {
      lastBeat = clock.real();
      beats += 1;
    },
    failed() {
      failedBeats += 1;
    },
    missed() {
      missedBeats += 1;
    },
    swept(left) {
      behindSince = left ? (behindSince ?? clock.real()) : undefined;
    },
    compared(ahead) {
      secondsAhead = ahead;
    },
    status: () => ({
      secondsSinceBeat: secondsSince(lastBeat),
      secondsBehind: behindSince ? secondsSince(behindSince) : 0,
      secondsAhead,
      missedBeats,
      failedBeats,
      beats,
    }),
  };
}
