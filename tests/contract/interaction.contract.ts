// Create, read, vread, update and delete of one resource. https://hl7.org/fhir/R4/http.html
import type { Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentOf, create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

export function interactionContract(open: OpenStoreForTest): void {
  describe('interactions', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    test('a create gets an id, version 1 and a time, whatever the client sent', async () => {
      const sent = patient('1', {
        id: 'mine',
        meta: { versionId: '9', lastUpdated: '1999-01-01T00:00:00Z', source: 'urn:x' },
      });
      const [outcome] = await temp.store.commit(NURSE, [create(sent)]);
      expect(outcome).toMatchObject({ status: 201, written: true, type: 'Patient', versionId: '1' });
      expect(outcome?.id).not.toBe('mine');
      expect(outcome?.lastUpdated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const { id, versionId, lastUpdated } = outcome ?? {};
      expect(contentOf(outcome)).toEqual({ ...sent, id, meta: { versionId, lastUpdated, source: 'urn:x' } });
      expect(Object.keys(contentOf<Patient>(outcome)).slice(0, 3)).toEqual(['resourceType', 'id', 'meta']);
    });

    test('read and vread return the text of the outcome, byte for byte', async () => {
      const [made] = await temp.store.commit(NURSE, [create(patient('1'))]);
      const [changed] = await temp.store.commit(NURSE, [update(patient('2', { id: made?.id }))]);
      expect(changed).toMatchObject({ status: 200, versionId: '2' });
      expect((await temp.store.read('Patient', String(made?.id)))?.content).toBe(changed?.content);
      expect((await temp.store.vread('Patient', String(made?.id), '1'))?.content).toBe(made?.content);
      expect(await temp.store.vread('Patient', String(made?.id), '3')).toBeUndefined();
      expect(await temp.store.vread('Patient', String(made?.id), '01')).toBeUndefined();
      expect(await temp.store.read('Patient', 'nobody')).toBeUndefined();
      expect(await temp.store.read('Group', String(made?.id))).toBeUndefined();
    });

    test('the resource handed in is not changed', async () => {
      const sent = patient('1', { id: 'mine', meta: { versionId: '7' } });
      const before = structuredClone(sent);
      await temp.store.commit(NURSE, [create(sent)]);
      expect(sent).toEqual(before);
    });

    test('an update of an unknown id creates it', async () => {
      const [outcome] = await temp.store.commit(NURSE, [update(patient('1', { id: 'chosen.by-client' }))]);
      expect(outcome).toMatchObject({ status: 201, written: true, id: 'chosen.by-client', versionId: '1' });
      expect(await temp.store.vread('Patient', 'chosen.by-client', '1')).toMatchObject({ operation: 'update' });
    });

    test('a delete makes a version without content; a second one writes nothing', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const [deleted] = await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      expect(deleted).toMatchObject({ status: 204, written: true, versionId: '2', content: '' });
      expect(await temp.store.read('Patient', 'a')).toMatchObject({ operation: 'delete', versionId: '2', content: '' });
      const [again] = await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      expect(again).toMatchObject({ status: 204, written: false, versionId: '2', lastUpdated: deleted?.lastUpdated });
      expect(await temp.store.head()).toBe(2);
    });

    test('an update brings a deleted resource back with the next version', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      const [outcome] = await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      expect(outcome).toMatchObject({ status: 201, versionId: '3' });
      expect(await temp.store.read('Patient', 'a')).toMatchObject({ operation: 'update', content: outcome?.content });
      expect(await temp.store.find('Patient?identifier=urn:test|1')).toHaveLength(1);
    });

    test('a delete of what never was writes nothing', async () => {
      const [outcome] = await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'nobody' }]);
      expect(outcome).toMatchObject({ status: 204, written: false, id: 'nobody', versionId: '' });
      expect(await temp.store.head()).toBe(0);
      expect(await temp.store.read('Patient', 'nobody')).toBeUndefined();
    });

    test.for([
      ['an update at an older version', update(patient('x', { id: 'a' }), { ifMatch: '1' })],
      ['an update at a version to come', update(patient('x', { id: 'a' }), { ifMatch: '3' })],
      ['a delete at an older version', { op: 'delete', type: 'Patient', id: 'a', ifMatch: '1' }],
      ['a delete, with a version, of what is not there', { op: 'delete', type: 'Patient', id: 'new', ifMatch: '1' }],
      ['an update, with a version, of what is not there', update(patient('x', { id: 'new' }), { ifMatch: '1' })],
    ] as const)('If-Match refuses %s', async ([, change]) => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      await temp.store.commit(NURSE, [update(patient('2', { id: 'a' }))]);
      expect(await faultOf(temp.store.commit(NURSE, [change]))).toMatchObject({ kind: 'precondition', status: 412 });
      expect(await temp.store.head()).toBe(2);
    });

    test('If-Match lets the current version through', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      await temp.store.commit(NURSE, [update(patient('2', { id: 'a' }), { ifMatch: '1' })]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a', ifMatch: '2' }]);
      expect((await temp.store.read('Patient', 'a'))?.versionId).toBe('3');
    });

    test.for([
      ['has no id', patient('1')],
      ['has an id with a slash', patient('1', { id: 'a/b' })],
      ['has an id that is too long', patient('1', { id: 'a'.repeat(65) })],
    ] as const)('an update is refused when its resource %s', async ([, resource]) => {
      expect(await faultOf(temp.store.commit(NURSE, [update(resource)]))).toMatchObject({ kind: 'invalid' });
      expect(await temp.store.head()).toBe(0);
    });

    test('a create with a chosen id takes it once', async () => {
      const [outcome] = await temp.store.commit(NURSE, [create(patient('1'), { id: 'chosen' })]);
      expect(outcome?.id).toBe('chosen');
      expect(await faultOf(temp.store.commit(NURSE, [create(patient('2'), { id: 'chosen' })]))).toMatchObject({
        kind: 'conflict',
      });
    });

    test('a resource that is not valid is refused with what is wrong, and nothing is written', async () => {
      const wrong = { resourceType: 'Patient', gender: 'nurse' } as unknown as Patient;
      const fault = await faultOf(temp.store.commit(NURSE, [create(patient('1')), create(wrong)]));
      expect(fault.status === 400 || fault.status === 422).toBe(true);
      expect(fault.issues.some((issue) => issue.expression?.[0]?.includes('gender'))).toBe(true);
      expect(await temp.store.head()).toBe(0);
      expect(await temp.store.find('Patient?identifier=urn:test|1')).toEqual([]);
    });
  });
}
