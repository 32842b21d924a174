// When Baton is down in the simulated year: for an hour, a day and three days, the first over the change to summer time in
// New York, the last over Thanksgiving.
import type { Outage } from './drive.ts';
import type { Story } from './story.ts';

const OUTAGES = [
  ['2026-03-08T06:30:00Z', '2026-03-08T07:30:00Z'],
  ['2026-06-18T20:00:00Z', '2026-06-19T20:00:00Z'],
  ['2026-11-25T10:00:00Z', '2026-11-28T10:00:00Z'],
] as const;

export function outagesOf({ ends }: Story): Outage[] {
  return OUTAGES.map(([from, until]) => ({ from: Date.parse(from) / 1000, until: Date.parse(until) / 1000 })).filter(
    ({ until }) => until < ends,
  );
}
