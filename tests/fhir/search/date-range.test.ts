import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dateRange } from '../../../src/fhir/search/date-range.ts';

const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds;

test.each([
  ['2000', '2000-01-01T00:00Z', '2001-01-01T00:00Z'],
  ['2000-12', '2000-12-01T00:00Z', '2001-01-01T00:00Z'],
  ['2024-02-29', '2024-02-29T00:00Z', '2024-03-01T00:00Z'],
  ['2024-01-01T10:15', '2024-01-01T10:15Z', '2024-01-01T10:16Z'],
  ['2024-01-01T10:15:30+02:00', '2024-01-01T08:15:30Z', '2024-01-01T08:15:31Z'],
  ['2024-01-01T00:00:15.500-05:30', '2024-01-01T05:30:15.500Z', '2024-01-01T05:30:15.501Z'],
  ['0001-01-01', '0001-01-01T00:00Z', '0001-01-02T00:00Z'],
])('%s stands for [%s, %s)', (text, low, high) => {
  expect(dateRange(text)).toEqual({ low: at(low), high: at(high) });
});

test('fractions of a second are equal whatever their number of digits', () => {
  expect(dateRange('2024-01-01T00:00:15.500Z')).toEqual(dateRange('2024-01-01T00:00:15.5000000Z'));
});

test.each([
  '',
  '0000',
  '2023-02-29',
  '2024-13',
  '2024-00-01',
  '2024-04-31',
  '2024-1-1',
  '2024-01-01T10',
  '2024-01-01T24:00',
  '2024-01-01T10:60',
  '2024-01-01T10:00 02:00',
  '2024-01-01T10:00+15:00',
  '2024-01-01Z',
  'yesterday',
])('%j is no date', (text) => {
  expect(dateRange(text)).toBeUndefined();
});

test('every day is where Temporal says it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (days) => {
      const date = Temporal.PlainDate.from('1970-01-01').add({ days });
      const low = date.toZonedDateTime('UTC').epochMilliseconds;
      expect(dateRange(date.toString())).toEqual({ low, high: low + 86_400_000 });
    }),
  );
});
