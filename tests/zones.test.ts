// Runs in every zone's project, so that none of them silently is UTC again. docs/sync-spec.md#I26
import { expect, test } from 'vitest';

test('the zone is the one of the project', () => {
  const zone = process.env.TZ;
  if (zone === undefined) return;
  const offset = -new Date(Temporal.Instant.from('2026-01-15T12:00:00Z').epochMilliseconds).getTimezoneOffset();
  const expected = Temporal.Instant.from('2026-01-15T12:00:00Z').toZonedDateTimeISO(zone).offsetNanoseconds / 60e9;
  expect(offset).toBe(expected);
});
