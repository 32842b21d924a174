// Cron expressions, read by node-cron and evaluated here against any two moments: node-cron itself only looks ahead from
// the machine's clock, and forgets what it missed. UTC throughout.
import { createTask, parse, validateDetailed } from 'node-cron';

/** Longest look back or ahead: the 29th of February comes every four years, once in a while every eight. */
const MOST_DAYS = 366 * 8;

/** What is wrong with an expression, as a sentence; undefined when nothing is. */
export function problemOfCron(expression: string): string | undefined {
  if (expression.trim().split(/\s+/).length !== 5) {
    return 'A schedule has five fields: minute, hour, day of month, month and day of week.';
  }
  const { valid, errors } = validateDetailed(expression);
  if (valid) return undefined;
  const { field, value } = errors[0] ?? { field: 'expression' };
  return `The ${field} of the schedule cannot be ${value ?? expression}.`;
}

/** The last moment of the expression that is after `after` and not after `now`. */
export function lastTime(
  expression: string,
  after: Temporal.Instant,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  return find(expression, now, -1, (moment) =>
    Temporal.Instant.compare(moment, now) > 0 ? 'skip' : Temporal.Instant.compare(moment, after) > 0 ? 'take' : 'stop',
  );
}

/** The first moment of the expression after `after`. */
export function nextTime(expression: string, after: Temporal.Instant): Temporal.Instant | undefined {
  return find(expression, after, 1, (moment) => (Temporal.Instant.compare(moment, after) > 0 ? 'take' : 'skip'));
}

/** Goes from `start` day by day in one direction and, within a day that counts, through its times. */
function find(
  expression: string,
  start: Temporal.Instant,
  direction: 1 | -1,
  judge: (moment: Temporal.Instant) => 'take' | 'skip' | 'stop',
): Temporal.Instant | undefined {
  const { hour, minute } = parse(expression);
  const times = hour.flatMap((h) => minute.map((m) => ({ hour: h, minute: m })));
  times.sort((a, b) => direction * (a.hour * 60 + a.minute - b.hour * 60 - b.minute));
  const [first] = times;
  if (!first) return undefined;
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  try {
    const today = start.toZonedDateTimeISO('UTC').startOfDay();
    for (let days = 0; days < MOST_DAYS; days += 1) {
      const day = today.add({ days: days * direction });
      // Whether the day counts does not depend on the time of day.
      if (!task.match(new Date(day.with(first).epochMilliseconds))) {
        if (judge(day.add({ days: 1 }).toInstant()) === 'stop') return undefined;
        continue;
      }
      for (const time of times) {
        const moment = day.with(time).toInstant();
        const verdict = judge(moment);
        if (verdict === 'stop') return undefined;
        if (verdict === 'take') return moment;
      }
    }
    return undefined;
  } finally {
    void task.destroy();
  }
}
