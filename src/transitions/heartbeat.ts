// The only clockwork, by node-cron: once a minute it says that time has passed. What is due is decided elsewhere, so a missed
// beat costs a minute, not a follow-up.
import { schedule } from 'node-cron';
import type { Logger } from 'pino';
import type { Pulse } from './pulse.ts';

export interface Heartbeat {
  /** Beats every minute from now on. */
  arm(): void;
  /** Beats at once, then every minute. */
  start(): Promise<void>;
  /** No beat begins after it resolves; waits for the one under way. */
  stop(): Promise<void>;
}

/** UTC, because a zone with daylight saving would skip or repeat an hour of beats. */
const EVERY_MINUTE = { expression: '* * * * *', options: { timezone: 'UTC', noOverlap: true } } as const;

/**
 * @param tick what to do on every beat; a beat that fails is logged and the next one tries again
 * @param pulse told of beats that fail or do not come
 */
export function createHeartbeat(
  tick: () => Promise<unknown>,
  log: Logger,
  pulse?: Pick<Pulse, 'failed' | 'missed'>,
): Heartbeat {
  let task: ReturnType<typeof schedule> | undefined;
  let beating: Promise<void> = Promise.resolve();
  const beat = () => {
    beating = beating.then(tick).then(
      () => undefined,
      (error: unknown) => {
        pulse?.failed();
        log.error({ err: error }, 'a heartbeat failed');
      },
    );
    return beating;
  };
  const missed = () => {
    pulse?.missed();
    log.warn('a heartbeat was missed; the next one catches up');
  };
  function arm(): void {
    if (task) return;
    task = schedule(EVERY_MINUTE.expression, beat, EVERY_MINUTE.options);
    task.on('execution:missed', missed);
    // The beat before it is still under way.
    task.on('execution:overlap', missed);
  }
  let isStarted = false;
  return {
    arm,
    async start() {
      if (isStarted) return;
      isStarted = true;
      arm();
      await beat();
    },
    async stop() {
      await task?.destroy();
      task = undefined;
      isStarted = false;
      await beating;
    },
  };
}
