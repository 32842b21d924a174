// docs/sync-spec.md says what holds and which test says so; this one says whether that is true. docs/sync-spec.md#I28
import { expect, test } from 'vitest';
import { checkSyncSpec } from '../scripts/sync-spec.ts';

test('the list of invariants fits the tests and the code, both ways', () => {
  expect(checkSyncSpec(true)).toEqual([]);
});
