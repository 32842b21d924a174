// When a message may leave: not in quiet hours, and with others when its channel gathers them. Urgent ones at once.
import { atLocal } from '../care/local-time.ts';
import type { Channel } from './settings.ts';

/** @param zone of who is told, where their record says it; else of the facility */
export function sendTime(
  { quiet, digestMinutes }: Pick<Channel, 'quiet' | 'digestMinutes'>,
  urgent: boolean,
  zone: string,
  now: Temporal.Instant,
): Temporal.Instant {
  if (urgent) return now;
  const gathered = now.add({ minutes: digestMinutes });
  return quiet ? afterQuiet(quiet, zone, gathered) : gathered;
}

function afterQuiet(quiet: { from: string; until: string }, zone: string, at: Temporal.Instant): Temporal.Instant {
  const local = at.toZonedDateTimeISO(zone);
  const [from, until] = [Temporal.PlainTime.from(quiet.from), Temporal.PlainTime.from(quiet.until)];
  const time = local.toPlainTime();
  const isFrom = Temporal.PlainTime.compare(time, from) >= 0;
  const isUntil = Temporal.PlainTime.compare(time, until) < 0;
  const overNight = Temporal.PlainTime.compare(from, until) > 0;
  if (overNight ? !isFrom && !isUntil : !isFrom || !isUntil) return at;
  const day = local.toPlainDate();
  return atLocal(overNight && isFrom ? day.add({ days: 1 }) : day, until, zone);
}
