import { expect, test } from 'vitest';
import { decimalRange } from '../../../src/fhir/search/decimal-range.ts';

test.each([
  ['100', 100, 99.5, 100.5],
  ['100.00', 100, 99.995, 100.005],
  ['1e2', 100, 95, 105],
  ['5.4', 5.4, 5.35, 5.45],
  ['5.40', 5.4, 5.395, 5.405],
  ['5.40e-3', 0.0054, 0.005395, 0.005405],
  ['-2.5', -2.5, -2.55, -2.45],
  ['0', 0, -0.5, 0.5],
  ['+7', 7, 6.5, 7.5],
])('%s is %d, from %d to %d', (text, value, low, high) => {
  expect(decimalRange(text)).toEqual({ value, low, high });
});

test.each(['', 'abc', '5,4', '1e', '.5', '5.', '1e999', 'NaN', 'Infinity', '9'.repeat(61)])(
  '%j is no decimal',
  (text) => {
    expect(decimalRange(text)).toBeUndefined();
  },
);
