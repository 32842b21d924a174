// Patches: made from the current content inside the commit. https://hl7.org/fhir/R4/http.html#patch
import type { Patient, Resource } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '../../src/fhir/change.ts';
import { contentOf, create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

type Patch = Extract<Change, { op: 'patch' }>;

/** A patch that gives the patient another identifier. */
function identify(value: string, more: Partial<Patch>): Change {
  const revise = (resource: Resource) => {
    const current = resource as Patient;
    return { ...current, identifier: [...(current.identifier ?? []), { system: 'urn:test', value }] };
  };
  return { op: 'patch', type: 'Patient', revise, ...more };
}

export function patchContract(open: OpenStoreForTest): void {
  describe('patches', () => {
    let temp: TempStore;
    let id: string;
    beforeEach(async () => {
      temp = await open();
      const [made] = await temp.store.commit(NURSE, [create(patient('1'))]);
      id = made?.id ?? '';
    });
    afterEach(() => temp.cleanup());

    const valuesOf = async () => {
      const { content } = (await temp.store.read('Patient', id)) ?? { content: '{}' };
      return (JSON.parse(content) as Patient).identifier?.map(({ value }) => value);
    };

    test('make the next version, which is found by what it says', async () => {
      const [outcome] = await temp.store.commit(NURSE, [identify('2', { id })]);
      expect(outcome).toMatchObject({ status: 200, written: true, id, versionId: '2' });
      expect(contentOf<Patient>(outcome).identifier).toHaveLength(2);
      expect((await temp.store.find('Patient?identifier=urn:test|2')).map((found) => found.id)).toEqual([id]);
      const { items } = await temp.store.history({ type: 'Patient', id, count: 10 });
      expect(items.map(({ operation }) => operation)).toEqual(['update', 'create']);
    });

    test('that change nothing write nothing', async () => {
      const [outcome] = await temp.store.commit(NURSE, [{ op: 'patch', type: 'Patient', id, revise: (same) => same }]);
      expect(outcome).toMatchObject({ status: 200, written: false, versionId: '1' });
      expect(await temp.store.head()).toBe(1);
    });

    test('at once lose nothing', async () => {
      const values = Array.from({ length: 20 }, (_, index) => `n${index}`);
      await Promise.all(values.map((value) => temp.store.commit(NURSE, [identify(value, { id })])));
      expect((await valuesOf())?.toSorted()).toEqual(['1', ...values].toSorted());
    });

    test('see what was committed before them, also in the same group', async () => {
      const replaced = { ...patient('replaced'), id };
      await Promise.all([
        temp.store.commit(NURSE, [update(replaced)]),
        temp.store.commit(NURSE, [identify('after', { id })]),
      ]);
      expect(await valuesOf()).toEqual(['replaced', 'after']);
    });

    test('that throw change nothing of their commit', async () => {
      const revise = () => {
        throw new RangeError('no');
      };
      const failing: Change = { op: 'patch', type: 'Patient', id, revise };
      await expect(temp.store.commit(NURSE, [create(patient('9')), failing])).rejects.toThrow('no');
      expect(await temp.store.head()).toBe(1);
    });

    test('need a resource that is there, at the version that is expected, one only, and a valid result', async () => {
      await temp.store.commit(NURSE, [create(patient('twice')), create(patient('twice'))]);
      const kindOf = async (change: Change) => (await faultOf(temp.store.commit(NURSE, [change]))).kind;
      expect(await kindOf(identify('x', { id: 'never' }))).toBe('not-found');
      expect(await kindOf(identify('x', { query: 'identifier=urn:test|none' }))).toBe('not-found');
      expect(await kindOf(identify('x', { query: 'identifier=urn:test|twice' }))).toBe('multiple-matches');
      expect(await kindOf(identify('x', { id, ifMatch: '7' }))).toBe('precondition');
      expect(await kindOf(identify('', { id }))).toMatch(/invalid|unprocessable/);
      expect(await kindOf(identify('x', { query: '' }))).toBe('invalid');
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id }]);
      expect(await kindOf(identify('x', { id }))).toBe('gone');
    });

    test('may be conditional, and are refused beside another change of the same resource', async () => {
      const [outcome] = await temp.store.commit(NURSE, [identify('2', { query: 'identifier=urn:test|1' })]);
      expect(outcome).toMatchObject({ id, versionId: '2' });
      const both = [identify('3', { id }), identify('4', { query: 'identifier=urn:test|1' })];
      expect((await faultOf(temp.store.commit(NURSE, both))).kind).toBe('invalid');
    });
  });
}
