// Conditional create, update and delete. https://hl7.org/fhir/R4/http.html#ccreate
import type { Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentOf, create, faultOf, NURSE, observation, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

const ONE = 'identifier=urn:test|1';

export function conditionalContract(open: OpenStoreForTest): void {
  describe('conditional interactions', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    test('a conditional create writes when nothing matches and answers with the match when one does', async () => {
      const [made] = await temp.store.commit(NURSE, [create(patient('1'), { ifNoneExist: ONE })]);
      expect(made).toMatchObject({ status: 201, written: true });
      const [found] = await temp.store.commit(NURSE, [create(patient('1'), { ifNoneExist: ONE })]);
      expect(found).toEqual({ ...made, status: 200, written: false });
      expect(await temp.store.head()).toBe(1);
    });

    test('more than one match fails every conditional interaction and writes nothing', async () => {
      await temp.store.commit(NURSE, [create(patient('1')), create(patient('1'))]);
      for (const change of [
        create(patient('1'), { ifNoneExist: ONE }),
        update(patient('1'), { query: ONE }),
        { op: 'delete', type: 'Patient', query: ONE } as const,
      ]) {
        const fault = await faultOf(temp.store.commit(NURSE, [create(patient('2')), change]));
        expect(fault).toMatchObject({ kind: 'multiple-matches', status: 412 });
      }
      expect(await temp.store.head()).toBe(2);
    });

    test.for(['', '&', '_count=5'])('criteria that select nothing ("%s") are refused', async (query) => {
      for (const change of [
        create(patient('1'), { ifNoneExist: query }),
        update(patient('1'), { query }),
        { op: 'delete', type: 'Patient', query } as const,
      ]) {
        expect((await faultOf(temp.store.commit(NURSE, [change]))).status).toBe(400);
      }
    });

    test('a deleted resource does not match', async () => {
      const [made] = await temp.store.commit(NURSE, [create(patient('1'))]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: made?.id }]);
      const [again] = await temp.store.commit(NURSE, [create(patient('1'), { ifNoneExist: ONE })]);
      expect(again).toMatchObject({ status: 201, written: true });
    });

    test('a conditional update creates, then updates', async () => {
      const [made] = await temp.store.commit(NURSE, [update(patient('1'), { query: ONE })]);
      expect(made).toMatchObject({ status: 201, versionId: '1' });
      const [changed] = await temp.store.commit(NURSE, [update(patient('1', { active: true }), { query: ONE })]);
      expect(changed).toMatchObject({ status: 200, versionId: '2', id: made?.id });
      expect(contentOf<Patient>(changed)).toMatchObject({ id: made?.id, active: true });
    });

    test('a conditional update without a match uses the id of its body, unless that is taken', async () => {
      const [made] = await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }), { query: ONE })]);
      expect(made).toMatchObject({ status: 201, id: 'a' });
      const other = update(patient('2', { id: 'a' }), { query: 'identifier=urn:test|2' });
      expect(await faultOf(temp.store.commit(NURSE, [other]))).toMatchObject({ kind: 'conflict' });
    });

    test('a conditional update refuses a body with another id than the match', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const fault = await faultOf(temp.store.commit(NURSE, [update(patient('1', { id: 'b' }), { query: ONE })]));
      expect(fault).toMatchObject({ kind: 'invalid', status: 400 });
    });

    test('a conditional delete removes the match, and is content without one', async () => {
      const [made] = await temp.store.commit(NURSE, [create(patient('1'))]);
      const [gone] = await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', query: ONE }]);
      expect(gone).toMatchObject({ status: 204, written: true, id: made?.id });
      const [nothing] = await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', query: ONE }]);
      expect(nothing).toMatchObject({ status: 204, written: false, id: '' });
    });

    test('equal conditional creates of one transaction come down to one resource', async () => {
      const outcomes = await temp.store.commit(NURSE, [
        create(patient('1'), { ifNoneExist: ONE, fullUrl: 'urn:uuid:1' }),
        create(patient('1'), { ifNoneExist: ONE, fullUrl: 'urn:uuid:2' }),
        create(observation('urn:uuid:2')),
      ]);
      expect(outcomes[1]).toEqual({ ...outcomes[0], status: 200, written: false });
      expect(contentOf(outcomes[2])).toMatchObject({ subject: { reference: `Patient/${outcomes[0]?.id}` } });
      expect(await temp.store.head()).toBe(2);
    });

    test('conditional updates of one transaction with equal criteria are refused', async () => {
      const changes = [update(patient('1'), { query: ONE }), update(patient('1', { active: true }), { query: ONE })];
      expect(await faultOf(temp.store.commit(NURSE, changes))).toMatchObject({ kind: 'invalid' });
      expect(await temp.store.head()).toBe(0);
    });

    test('a match that the same transaction deletes is refused', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const changes = [create(patient('1'), { ifNoneExist: ONE }), { op: 'delete', type: 'Patient', id: 'a' } as const];
      expect(await faultOf(temp.store.commit(NURSE, changes))).toMatchObject({ kind: 'invalid' });
    });
  });
}
