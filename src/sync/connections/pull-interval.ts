// How long it is from one pull to the next. The heartbeat decides, once a minute, whether it is time; it comes a few
// milliseconds sooner or later, and "every minute" must not become every other one.
import { nextTime } from './cron.ts';
import type { Connection } from './settings.ts';

/** What is due this many milliseconds after a beat is done with it. */
export const SOON = 5_000;

const BEAT_SECONDS = 60;

/** The last pull of this process. */
export interface LastPull {
  readonly at: Temporal.Instant;
  /** False: the server was away, or another process was at it, so that it is made up for at the next beat. */
  readonly hasRun: boolean;
}

/** Whether a connection without a schedule is pulled at this beat; the first time at once. */
export function isPullTime(
  { pullEverySeconds }: Pick<Connection, 'pullEverySeconds'>,
  last: LastPull | undefined,
  now: Temporal.Instant,
): boolean {
  if (!last) return true;
  const seconds = last.hasRun ? pullEverySeconds : Math.min(pullEverySeconds, BEAT_SECONDS);
  return now.epochMilliseconds + SOON >= last.at.epochMilliseconds + seconds * 1000;
}

/** Seconds from a pull at `now` to the one after it. */
export function secondsToNextPull(
  { schedule, pullEverySeconds }: Pick<Connection, 'schedule' | 'pullEverySeconds'>,
  now: Temporal.Instant,
): number {
  const next = schedule?.pull === undefined ? undefined : nextTime(schedule.pull, now);
  return next ? next.since(now).total('seconds') : pullEverySeconds;
}
