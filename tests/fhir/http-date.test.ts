// HTTP dates: what is written is read again, whatever the moment.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { httpDate, parseHttpDate } from '../../src/fhir/http-date.ts';

test('an instant is written as RFC 9110 says', () => {
  expect(httpDate(Temporal.Instant.from('2026-11-24T01:05:00Z'))).toBe('Tue, 24 Nov 2026 01:05:00 GMT');
});

test('what is written is read again, to the second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      const instant = Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
      expect(parseHttpDate(httpDate(instant))?.equals(instant)).toBe(true);
    }),
  );
});

test.each(['', 'yesterday', '2026-11-24T01:05:00Z', 'Tue, 31 Feb 2026 01:05:00 GMT', 'Tue, 24 Nom 2026 01:05:00 GMT'])(
  '%j is no HTTP date',
  (text) => expect(parseHttpDate(text)).toBeUndefined(),
);
