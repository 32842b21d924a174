// Leases: one holder at a time, given up when it ends or dies, fenced commits.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withLease } from '../../src/store/lease.ts';
import { create, faultOf, NURSE, patient } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const MINUTE = Temporal.Duration.from({ minutes: 1 });

describe('lease', () => {
  let temp: TempStore;
  let now: Temporal.Instant;
  beforeEach(async () => {
    temp = await openTempStore();
    now = Temporal.Instant.from('2026-11-24T10:00:00Z');
  });
  afterEach(() => temp.cleanup());

  const clock = { now: () => now, real: () => now };
  const hold = <T>(work: Parameters<typeof withLease<T>>[4], name = 'sweep', duration = MINUTE) =>
    withLease(temp.store, clock, name, duration, work);

  test('lets one in at a time, others under other names', async () => {
    const outer = await hold(async () => {
      expect(await hold(async () => 'inside')).toEqual({ held: false });
      return hold(async () => 'elsewhere', 'other');
    });
    expect(outer).toEqual({ held: true, value: { held: true, value: 'elsewhere' } });
    expect(await hold(async () => 'later')).toEqual({ held: true, value: 'later' });
  });

  test('is given back when the work fails', async () => {
    await expect(hold(async () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(await hold(async () => 1)).toEqual({ held: true, value: 1 });
  });

  test('runs out, and then the old holder cannot commit any more', async () => {
    await hold(async ({ fence }) => {
      await temp.store.commit(NURSE, [create(patient('1'))], [fence]);
      now = now.add({ seconds: 59 });
      expect(await hold(async () => 'early')).toEqual({ held: false });
      now = now.add({ seconds: 1 });
      await hold(async () => {
        const fenced = temp.store.commit(NURSE, [create(patient('2'))], [fence]);
        expect((await faultOf(fenced)).kind).toBe('conflict');
      });
    });
    expect(await temp.store.head()).toBe(1);
  });

  test('is renewed while the work goes on, and tells when it is lost', async () => {
    await hold(
      async ({ signal }) => {
        const [first] = await temp.store.query('SELECT until FROM lease');
        now = now.add({ milliseconds: 10 });
        for (;;) {
          const [row] = await temp.store.query('SELECT until FROM lease');
          if (row?.until !== first?.until) break;
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(signal.aborted).toBe(false);
        await temp.store.commit(NURSE, [], [{ sql: "UPDATE lease SET token = 'thief'", params: [], rows: 1 }]);
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
      'short',
      Temporal.Duration.from({ milliseconds: 20 }),
    );
    expect(await temp.store.query('SELECT token FROM lease')).toMatchObject([{ token: 'thief' }]);
  });
});
