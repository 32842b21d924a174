// The log: everything committed, in order, without gaps, for readers with a position of their own.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

export function logContract(open: OpenStoreForTest): void {
  describe('log', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    test('starts at nothing', async () => {
      expect(await temp.store.head()).toBe(0);
      expect(await temp.store.readLog(0, 10)).toEqual([]);
    });

    test('says what was done, by whom, and where it came from', async () => {
      await temp.store.commit({ ...NURSE, origin: 'hapi' }, [update(patient('1', { id: 'a' }))]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      const [first, second] = await temp.store.readLog(0, 10);
      expect(first).toMatchObject({ sequence: 1, operation: 'update', actor: 'Practitioner/nurse', origin: 'hapi' });
      expect(second).toMatchObject({ sequence: 2, operation: 'delete', origin: null, content: '' });
    });

    test('is read from a position, a bit at a time', async () => {
      for (let index = 0; index < 7; index += 1) await temp.store.commit(NURSE, [create(patient(String(index)))]);
      const sequences = async (after: number, limit: number) =>
        (await temp.store.readLog(after, limit)).map((entry) => entry.sequence);
      expect(await sequences(0, 3)).toEqual([1, 2, 3]);
      expect(await sequences(3, 3)).toEqual([4, 5, 6]);
      expect(await sequences(6, 3)).toEqual([7]);
      expect(await temp.store.head()).toBe(7);
    });

    test('is read for one type', async () => {
      for (let index = 0; index < 3; index += 1) {
        await temp.store.commit(NURSE, [create({ resourceType: 'Organization', name: String(index) })]);
        await temp.store.commit(NURSE, [create(patient(String(index)))]);
      }
      const sequences = async (after: number, limit: number) =>
        (await temp.store.readLog(after, limit, 'Patient')).map((entry) => entry.sequence);
      expect(await sequences(0, 2)).toEqual([2, 4]);
      expect(await sequences(4, 2)).toEqual([6]);
      expect(await temp.store.readLog(0, 10, 'Task')).toEqual([]);
    });

    test('has no gap where a commit failed', async () => {
      await Promise.allSettled([
        temp.store.commit(NURSE, [create(patient('1'))]),
        temp.store.commit(NURSE, [create(patient('2')), update(patient('x', { id: 'x' }), { ifMatch: '1' })]),
        temp.store.commit(NURSE, [create(patient('3'))]),
      ]);
      expect((await temp.store.readLog(0, 10)).map((entry) => entry.sequence)).toEqual([1, 2]);
    });

    test('time never runs backwards in it', async () => {
      let now = Temporal.Instant.from('2026-11-24T10:00:00.500Z');
      const clock = { now: () => now, real: () => now };
      const own = await open({ clock });
      await own.store.commit(NURSE, [create(patient('1'))]);
      now = now.subtract({ hours: 1 });
      await own.store.commit(NURSE, [create(patient('2'))]);
      now = now.add({ hours: 2 });
      await own.store.commit(NURSE, [create(patient('3'))]);
      expect((await own.store.readLog(0, 10)).map((entry) => entry.lastUpdated)).toEqual([
        '2026-11-24T10:00:00.500Z',
        '2026-11-24T10:00:00.500Z',
        '2026-11-24T11:00:00.500Z',
      ]);
      await own.cleanup();
    });

    test('calls its listeners when there is something new, and only then', async () => {
      const seen: number[] = [];
      const stop = temp.store.onCommit(() => seen.push(seen.length));
      temp.store.onCommit(() => {
        throw new Error('a listener of no importance');
      });
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      expect(seen).toHaveLength(1);
      await faultOf(temp.store.commit(NURSE, [update(patient('1', { id: 'a' }), { ifMatch: '9' })]));
      await temp.store.commit(NURSE, [], [{ sql: 'DELETE FROM cursor', params: [] }]);
      expect(seen).toHaveLength(1);
      stop();
      await temp.store.commit(NURSE, [create(patient('2'))]);
      expect(seen).toHaveLength(1);
    });
  });
}
