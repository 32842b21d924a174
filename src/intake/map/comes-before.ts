// FHIR dateTimes of different precision in order.

/** Whether one comes before the other, as far as both say: a date is not before a moment of that day. */
export function comesBefore(one: string, other: string): boolean {
  if (one.includes('T') && other.includes('T')) {
    return Temporal.Instant.compare(Temporal.Instant.from(one), Temporal.Instant.from(other)) < 0;
  }
  const length = Math.min(one.length, other.length, 10);
  return one.slice(0, length) < other.slice(0, length);
}
