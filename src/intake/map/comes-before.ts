// FHIR dateTimes of different precision in order.

/** Hours that clocks are behind UTC at most, and ahead of it. */
const [BEHIND, AHEAD] = [12, 14];

/**
 * Whether one comes before the other, as far as both say: a date is not before a moment of that day. Which day a moment is of
 * that is told in UTC depends on a place that it does not name.
 */
export function comesBefore(one: string, other: string): boolean {
  if (one.includes('T') && other.includes('T')) {
    return Temporal.Instant.compare(Temporal.Instant.from(one), Temporal.Instant.from(other)) < 0;
  }
  const [latest, earliest] = [moved(one, AHEAD), moved(other, -BEHIND)];
  const length = Math.min(latest.length, earliest.length, 10);
  return latest.slice(0, length) < earliest.slice(0, length);
}

function moved(value: string, hours: number): string {
  return value.endsWith('Z') ? Temporal.Instant.from(value).add({ hours }).toString() : value;
}
