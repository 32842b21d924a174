// Many writers at once: one wins where one must, and nobody is harmed by a neighbour.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../src/fault.ts';
import type { LogEntry, Outcome } from '../../src/store/store.ts';
import { create, NURSE, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

export function concurrencyContract(open: OpenStoreForTest): void {
  describe('concurrency', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    test('of 50 updates with one If-Match one succeeds', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () =>
          temp.store.commit(NURSE, [update(patient('2', { id: 'a' }), { ifMatch: '1' })]),
        ),
      );
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
      const kinds = results
        .filter((result) => result.status === 'rejected')
        .map((result) => (result.reason as Fault).kind);
      expect(kinds).toEqual(Array.from({ length: 49 }, () => 'precondition'));
      expect(await temp.store.head()).toBe(2);
    });

    test('20 equal conditional creates make one resource', async () => {
      const change = create(patient('1'), { ifNoneExist: 'identifier=urn:test|1' });
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => temp.store.commit(NURSE, [change])));
      expect(new Set(outcomes.map(([outcome]) => outcome?.id)).size).toBe(1);
      expect(outcomes.filter(([outcome]) => outcome?.written)).toHaveLength(1);
      expect(await temp.store.find('Patient?identifier=urn:test|1')).toHaveLength(1);
    });

    test('a commit fails by what was written since it was planned, in the same group and before it', async () => {
      const after = await temp.store.head();
      const stops = ({ id }: { readonly id: string }) => id === 'a';
      const unless = { unlessWritten: { type: 'Patient', after, stops } };
      const plan = () => temp.store.commit(NURSE, [create(patient('3'))], [], unless);
      const [other, free] = await Promise.allSettled([
        temp.store.commit(NURSE, [create(patient('1'), { id: 'b' })]),
        plan(),
      ]);
      expect([other.status, free.status]).toEqual(['fulfilled', 'fulfilled']);
      const [same, stopped] = await Promise.allSettled([
        temp.store.commit(NURSE, [update(patient('2', { id: 'a' }))]),
        plan(),
      ]);
      expect(same.status).toBe('fulfilled');
      expect(stopped).toMatchObject({ status: 'rejected', reason: { kind: 'conflict' } });
      await expect(plan()).rejects.toMatchObject({ kind: 'conflict' });
      expect(await temp.store.head()).toBe(after + 3);
    });

    test('a commit fails by what was deleted since it was planned', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' })), update(patient('2', { id: 'b' }))]);
      const after = await temp.store.head();
      const stops = ({ id, operation }: LogEntry) => id === 'a' && operation === 'delete';
      const plan = () =>
        temp.store.commit(NURSE, [create(patient('3'))], [], { unlessWritten: { type: 'Patient', after, stops } });
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'b' }]);
      await plan();
      const [, stopped] = await Promise.allSettled([
        temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]),
        plan(),
      ]);
      expect(stopped).toMatchObject({ status: 'rejected', reason: { kind: 'conflict' } });
    });

    test('a failing commit does not harm those it shares a transaction with', async () => {
      const commits = Array.from({ length: 60 }, (_, index) =>
        temp.store.commit(NURSE, [
          create(patient(String(index)), { id: `p${index}` }),
          ...(index % 3 === 0 ? [update(patient('x', { id: 'x' }), { ifMatch: '1' })] : []),
        ]),
      );
      const results = await Promise.allSettled(commits);
      expect(results.map((result) => result.status)).toEqual(
        commits.map((_, index) => (index % 3 === 0 ? 'rejected' : 'fulfilled')),
      );
      const log = await temp.store.readLog(0, 100);
      expect(log.map((entry) => entry.sequence)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      expect(new Set(log.map((entry) => entry.id)).size).toBe(40);
    });

    test('a read during a commit sees the state before or after it, never in between', async () => {
      await temp.store.commit(NURSE, [update(patient('0', { id: 'a' })), update(patient('0', { id: 'b' }))]);
      const writes: Promise<Outcome[]>[] = [];
      for (let round = 1; round <= 20; round += 1) {
        const value = String(round);
        writes.push(
          temp.store.commit(NURSE, [update(patient(value, { id: 'a' })), update(patient(value, { id: 'b' }))]),
        );
      }
      let done = false;
      const finished = Promise.all(writes).then(() => {
        done = true;
      });
      while (!done) {
        const rows = await temp.store.query("SELECT version FROM resource WHERE type = 'Patient' ORDER BY id");
        expect(rows[0]?.version).toBe(rows[1]?.version);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await finished;
      expect((await temp.store.read('Patient', 'b'))?.versionId).toBe('21');
    });

    test('closing finishes what was taken and refuses what comes later', async () => {
      const commits = Array.from({ length: 30 }, (_, index) =>
        temp.store.commit(NURSE, [create(patient(String(index)))]),
      );
      const closed = temp.store.close();
      await expect(temp.store.commit(NURSE, [create(patient('late'))])).rejects.toMatchObject({ kind: 'unavailable' });
      expect(await Promise.all(commits)).toHaveLength(30);
      await closed;
    });
  });
}
