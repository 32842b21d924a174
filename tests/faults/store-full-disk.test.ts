// A disk that fills up in the middle of a group of commits: what was acknowledged is there, the rest is not, and the store
// works again when there is room.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/fault.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import type { Outcome } from '../../src/store/store.ts';
import { create, NURSE, patient } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const LONG_NAME = 'x'.repeat(20_000);

describe('a store on a full disk', () => {
  let temp: TempStore;
  beforeEach(async () => {
    temp = await openTempStore();
  });
  afterEach(() => temp.cleanup());

  /** SQLite behaves at this limit as it does when the file system has no room. */
  const limitPages = (pages: number) =>
    temp.store.commit(NURSE, [], [{ sql: `PRAGMA max_page_count = ${pages}`, params: [] }]);

  test('acknowledges nothing that is not there, and recovers', async () => {
    const [size] = await temp.store.query('PRAGMA page_count');
    await limitPages(Number(size?.page_count) + 1_500);
    const acknowledged: Outcome[] = [];
    let refused = 0;
    for (let round = 0; refused === 0 && round < 200; round += 1) {
      const commits = Array.from({ length: 8 }, () =>
        temp.store.commit(NURSE, [create(patient('1', { name: [{ text: LONG_NAME }] }))]),
      );
      for (const result of await Promise.allSettled(commits)) {
        if (result.status === 'fulfilled') acknowledged.push(...result.value);
        else {
          expect((result.reason as Fault).kind).toBe('unavailable');
          refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(acknowledged.length).toBeGreaterThan(0);
    const log = await temp.store.readLog(0, 1_000);
    expect(log.map((entry) => entry.id).sort()).toEqual(acknowledged.map((outcome) => outcome.id).sort());
    expect(log.map((entry) => entry.sequence)).toEqual(log.map((_, index) => index + 1));
    await limitPages(1_000_000);
    expect(await temp.store.ready()).toBe(true);
    await temp.store.commit(NURSE, [create(patient('2', { name: [{ text: LONG_NAME }] }))]);
    expect(await walkTrail(temp.store)).toEqual({ verified: log.length + 1, last: log.length + 1 });
  });
});
