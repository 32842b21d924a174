// Times of the store as FHIR instants and back, and dateTimes as periods.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import { formatInstant, parseInstant } from '../../src/store/instant.ts';
import { periodOf } from '../../src/store/period.ts';

const milliseconds = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });

describe('instant', () => {
  test('is written as Temporal writes it', () => {
    fc.assert(
      fc.property(milliseconds, (value) => {
        const expected = Temporal.Instant.fromEpochMilliseconds(value).toString({ fractionalSecondDigits: 3 });
        expect(formatInstant(value)).toBe(expected);
        expect(parseInstant(formatInstant(value), '_since')).toBe(value);
      }),
    );
  });

  test('below a millisecond is rounded up, so that nothing earlier counts', () => {
    expect(parseInstant('1970-01-01T00:00:00.0010001Z', '_since')).toBe(2);
    expect(parseInstant('1970-01-01T00:00:00.001Z', '_since')).toBe(1);
    expect(parseInstant('1970-01-01T01:00:00+01:00', '_since')).toBe(0);
  });

  test.for(['', 'now', '2026-01-01', '2026-01-01T00:00:00'])('"%s" is refused', (wrong) => {
    expect(() => parseInstant(wrong, '_since')).toThrow(Fault);
  });
});

describe('period', () => {
  test.for([
    ['2026', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['2026-12', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['2028-02-29', '2028-02-29T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['2026-01-01T10:20Z', '2026-01-01T10:20:00Z', '2026-01-01T10:21:00Z'],
    ['2026-01-01T10:20:30+02:00', '2026-01-01T08:20:30Z', '2026-01-01T08:20:31Z'],
    ['2026-01-01T10:20:30.5Z', '2026-01-01T10:20:30.5Z', '2026-01-01T10:20:30.501Z'],
  ] as const)('%s', ([text, start, end]) => {
    const from = Temporal.Instant.from(start).epochMilliseconds;
    expect(periodOf(text, '_at')).toEqual({ start: from, end: Temporal.Instant.from(end).epochMilliseconds });
  });

  test.for(['', '26', '2026-13', '2026-02-30', '2026-01-01T10:20:30', '10:20'])('"%s" is refused', (wrong) => {
    expect(() => periodOf(wrong, '_at')).toThrow(Fault);
  });
});
