// Whether two FHIR dateTimes of different precision fall on one day.

/** As far as both say; of two moments the day is that of the first one's offset. */
export function sameDay(one: string, other: string): boolean {
  const there = one.includes('T') && other.includes('T') ? dayAt(other, one) : other;
  const length = Math.min(one.length, there.length, 10);
  return one.slice(0, length) === there.slice(0, length);
}

/** The day of `moment` where clocks have the offset of `reference`. */
function dayAt(moment: string, reference: string): string {
  const offset = /[+-]\d{2}:\d{2}$/.exec(reference)?.[0] ?? 'UTC';
  return Temporal.Instant.from(moment).toZonedDateTimeISO(offset).toPlainDate().toString();
}
