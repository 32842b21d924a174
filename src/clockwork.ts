// Everything that happens by itself, each at a heartbeat of its own: none waits for another that is slow or fails.
import type { Logger } from 'pino';
import { createHeartbeat } from './transitions/heartbeat.ts';
import type { Pulse } from './transitions/pulse.ts';

export interface Beat {
  /** For the log, when its first beat fails. */
  readonly name: string;
  tick(): Promise<unknown>;
  /** Told of beats that fail or do not come. */
  readonly pulse?: Pick<Pulse, 'failed' | 'missed'>;
  /** The first beat may take long: the start does not wait for it. */
  readonly slow?: true;
}

export interface Clockwork {
  /** Beats everything once, in order, then every minute. */
  start(): Promise<void>;
  /** No beat begins after it resolves; waits for those under way. */
  stop(): Promise<void>;
}

export function createClockwork(beats: readonly Beat[], log: Logger): Clockwork {
  const made = beats.map((beat) => ({ ...beat, heart: createHeartbeat(beat.tick, log, beat.pulse) }));
  return {
    async start() {
      // Before the first beat of any: one that hangs must not keep the watchdog from telling of it.
      for (const { heart } of made) heart.arm();
      for (const { name, slow, heart } of made) {
        const first = heart.start();
        if (slow) first.catch((error) => log.error({ err: error, beat: name }, 'a heartbeat did not start'));
        else await first;
      }
    },
    async stop() {
      await Promise.all(made.map(({ heart }) => heart.stop()));
    },
  };
}
