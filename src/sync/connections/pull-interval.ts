// How long it is from one pull to the next. The heartbeat decides, once a minute, whether it is time; it comes a few
// milliseconds sooner or later, and "every minute" must not become every other one.
import { nextTime } from './cron.ts';
import type { Connection } from './settings.ts';

/** What is due this many milliseconds after a beat is done with it. */
export const SOON = 5_000;

/** Whether a connection without a schedule is pulled at this beat; the first time at once. */
export function isPullTime(
  { pullEverySeconds }: Pick<Connection, 'pullEverySeconds'>,
  pulledAt: Temporal.Instant | undefined,
  now: Temporal.Instant,
): boolean {
  return !pulledAt || now.epochMilliseconds + SOON >= pulledAt.epochMilliseconds + pullEverySeconds * 1000;
}

/** Seconds from a pull at `now` to the one after it. */
export function secondsToNextPull(
  { schedule, pullEverySeconds }: Pick<Connection, 'schedule' | 'pullEverySeconds'>,
  now: Temporal.Instant,
): number {
  const next = schedule?.pull === undefined ? undefined : nextTime(schedule.pull, now);
  return next ? next.since(now).total('seconds') : pullEverySeconds;
}
