// When Baton is down in the simulated year: for an hour, a day and three days, the first over the change to summer time in
// New York, the last over Thanksgiving.

/** Epoch seconds. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

const at = (instant: string) => Temporal.Instant.from(instant).epochMilliseconds / 1000;

export const OUTAGES: readonly Outage[] = [
  { from: at('2026-03-08T06:30:00Z'), until: at('2026-03-08T07:30:00Z') },
  { from: at('2026-06-18T20:00:00Z'), until: at('2026-06-19T20:00:00Z') },
  { from: at('2026-11-25T10:00:00Z'), until: at('2026-11-28T10:00:00Z') },
];

/** Those that are over before the year is. */
export function outagesOf({ ends }: { readonly ends: number }): Outage[] {
  return OUTAGES.filter(({ until }) => until < ends);
}
