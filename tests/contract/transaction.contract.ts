// Several changes in one commit. https://hl7.org/fhir/R4/http.html#transaction
import type { Observation, Patient, Resource } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentOf, create, faultOf, NURSE, observation, patient, update } from '../support/store-fixtures.ts';
import type { TempStore } from '../support/temp-store.ts';
import type { OpenStoreForTest } from './store.contract.ts';

export function transactionContract(open: OpenStoreForTest): void {
  describe('transactions', () => {
    let temp: TempStore;
    beforeEach(async () => {
      temp = await open();
    });
    afterEach(() => temp.cleanup());

    test('links to a fullUrl become links to the resource, in both directions', async () => {
      const [first, second] = await temp.store.commit(NURSE, [
        create(patient('1', { link: [{ type: 'seealso', other: { reference: 'urn:uuid:b' } }] }), {
          fullUrl: 'urn:uuid:a',
        }),
        create(patient('2', { link: [{ type: 'seealso', other: { reference: 'urn:uuid:a' } }] }), {
          fullUrl: 'urn:uuid:b',
        }),
      ]);
      expect(contentOf<Patient>(first).link?.[0]?.other.reference).toBe(`Patient/${second?.id}`);
      expect(contentOf<Patient>(second).link?.[0]?.other.reference).toBe(`Patient/${first?.id}`);
      const found = await temp.store.find(`Patient?link=Patient/${first?.id}`);
      expect(found.map((item) => item.id)).toEqual([second?.id]);
    });

    test('links in url elements and narratives follow too, names do not', async () => {
      const text = '<div xmlns="http://www.w3.org/1999/xhtml"><a href="urn:uuid:a#top">x</a> urn:uuid:a</div>';
      const [made, document] = await temp.store.commit(NURSE, [
        create(patient('1', { identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:a' }] }), {
          fullUrl: 'urn:uuid:a',
        }),
        create({
          resourceType: 'DocumentReference',
          status: 'current',
          text: { status: 'generated', div: text },
          content: [{ attachment: { url: 'urn:uuid:a' } }],
        }),
      ]);
      const address = `Patient/${made?.id}`;
      expect(contentOf<Patient>(made).identifier?.[0]?.value).toBe('urn:uuid:a');
      expect(contentOf(document)).toMatchObject({ content: [{ attachment: { url: address } }] });
      expect(document?.content).toContain(`<a href=\\"${address}#top\\">x</a> urn:uuid:a`);
    });

    test('an absolute fullUrl is followed absolutely and relatively; a foreign absolute URL stays', async () => {
      const [made, one, two, three] = await temp.store.commit(NURSE, [
        create(patient('1'), { fullUrl: 'https://sender.example/fhir/Patient/7' }),
        create(observation('https://sender.example/fhir/Patient/7')),
        create(observation('Patient/7'), { fullUrl: 'https://sender.example/fhir/Observation/8' }),
        create(observation('https://elsewhere.example/fhir/Patient/7')),
      ]);
      const subjects = [one, two, three].map((outcome) => contentOf<Observation>(outcome).subject?.reference);
      const address = `Patient/${made?.id}`;
      expect(subjects).toEqual([address, address, 'https://elsewhere.example/fhir/Patient/7']);
    });

    test('a link follows an entry that came down to a stored resource', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const outcomes = await temp.store.commit(NURSE, [
        create(patient('1'), { fullUrl: 'urn:uuid:1', ifNoneExist: 'identifier=urn:test|1' }),
        create(observation('urn:uuid:1')),
      ]);
      expect(contentOf<Observation>(outcomes[1]).subject?.reference).toBe('Patient/a');
    });

    test('a conditional reference becomes a literal one, also to what the transaction creates', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const outcomes = await temp.store.commit(NURSE, [
        create(observation('Patient?identifier=urn:test|1')),
        create(observation('Patient?identifier=urn:test|2')),
        create(patient('2')),
      ]);
      const subjects = outcomes.slice(0, 2).map((outcome) => contentOf<Observation>(outcome).subject?.reference);
      expect(subjects).toEqual(['Patient/a', `Patient/${outcomes[2]?.id}`]);
      const found = await temp.store.find('Observation?subject=Patient/a');
      expect(found.map((item) => item.content)).toEqual([outcomes[0]?.content]);
      expect((await temp.store.vread('Observation', String(outcomes[1]?.id), '1'))?.content).toBe(outcomes[1]?.content);
    });

    test.for([
      ['no match', 'Patient?identifier=urn:test|9', 412],
      ['two matches', 'Patient?identifier=urn:test|1', 412],
      ['no criteria', 'Patient?', 400],
      ['a parameter that is none', 'Patient?nonsense=1', 400],
    ] as const)('a conditional reference with %s fails the whole commit', async ([, reference, status]) => {
      await temp.store.commit(NURSE, [create(patient('1')), create(patient('1'))]);
      const fault = await faultOf(temp.store.commit(NURSE, [create(patient('3')), create(observation(reference))]));
      expect(fault.status).toBe(status);
      expect(await temp.store.head()).toBe(2);
    });

    test.for([['alone'], ['with another']] as const)('an unresolved urn: reference is refused, %s', async ([how]) => {
      const changes = [create(observation('urn:uuid:nobody'))];
      if (how === 'with another') changes.push(create(patient('1'), { fullUrl: 'urn:uuid:somebody' }));
      const fault = await faultOf(temp.store.commit(NURSE, changes));
      expect(fault).toMatchObject({ kind: 'invalid', issues: [{ expression: ['Observation.subject'] }] });
    });

    test('a dangling relative reference is refused in a transaction, and only there', async () => {
      const fault = await faultOf(
        temp.store.commit(NURSE, [create(patient('1')), create(observation('Patient/nobody'))]),
      );
      expect(fault).toMatchObject({ kind: 'unprocessable', issues: [{ expression: ['Observation.subject'] }] });
      expect(await temp.store.head()).toBe(0);
      const alone = [create(observation('Patient/nobody'))];
      const small = temp.store.commit(NURSE, alone, [], { transaction: true });
      expect(await faultOf(small)).toMatchObject({ kind: 'unprocessable' });
      await temp.store.commit(NURSE, alone);
      expect(await temp.store.head()).toBe(1);
    });

    test('an update keeps a reference whose target has gone, and may not add another', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const [made] = await temp.store.commit(NURSE, [create(observation('Patient/a'))]);
      await temp.store.commit(NURSE, [{ op: 'delete', type: 'Patient', id: 'a' }]);
      const again = (subject: string) => update({ ...observation(subject), id: made?.id ?? '' });
      await temp.store.commit(NURSE, [again('Patient/a'), create(patient('2'))]);
      const adding = temp.store.commit(NURSE, [again('Patient/nobody'), create(patient('3'))]);
      expect((await faultOf(adding)).kind).toBe('unprocessable');
    });

    test('a reference to what the transaction deletes dangles; contained and external ones do not', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const removal = { op: 'delete', type: 'Patient', id: 'a' } as const;
      const dangling = temp.store.commit(NURSE, [create(observation('Patient/a')), removal]);
      expect((await faultOf(dangling)).kind).toBe('unprocessable');
      const inside: Resource = { resourceType: 'Patient', id: 'inside' };
      await temp.store.commit(NURSE, [
        create(observation('#inside', { contained: [inside] })),
        create(observation('https://elsewhere.example/fhir/Patient/9')),
        removal,
      ]);
      expect(await temp.store.head()).toBe(4);
    });

    test('integrity can be asked for always, or switched off', async () => {
      const strict = await open({ referentialIntegrity: 'always' });
      const fault = await faultOf(strict.store.commit(NURSE, [create(observation('Patient/nobody'))]));
      expect(fault.kind).toBe('unprocessable');
      await strict.cleanup();
      const loose = await open({ referentialIntegrity: 'off' });
      await loose.store.commit(NURSE, [create(patient('1')), create(observation('Patient/nobody'))]);
      expect(await loose.store.head()).toBe(2);
      await loose.cleanup();
    });

    test('two changes of one resource are refused', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
      const changes = [
        update(patient('2', { id: 'a' })),
        { op: 'delete', type: 'Patient', query: 'identifier=urn:test|1' } as const,
      ];
      expect(await faultOf(temp.store.commit(NURSE, changes))).toMatchObject({ kind: 'invalid', status: 400 });
    });

    test('the log has deletes, then creates, then updates; outcomes keep the order of the changes', async () => {
      await temp.store.commit(NURSE, [update(patient('1', { id: 'a' })), update(patient('2', { id: 'b' }))]);
      const outcomes = await temp.store.commit(NURSE, [
        update(patient('1', { id: 'a', active: true })),
        create(patient('3')),
        { op: 'delete', type: 'Patient', id: 'b' },
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual([200, 201, 204]);
      const log = await temp.store.readLog(2, 10);
      expect(log.map((entry) => entry.operation)).toEqual(['delete', 'create', 'update']);
    });

    test('a failing change takes everything with it, rows alongside included', async () => {
      const row = { sql: 'INSERT INTO cursor (name, sequence) VALUES (?, ?)', params: ['test', 1] };
      const failing = [create(patient('1')), update(patient('2', { id: 'x' }), { ifMatch: '4' })];
      await faultOf(temp.store.commit(NURSE, failing, [row]));
      const fenced = { sql: 'UPDATE cursor SET sequence = 5 WHERE name = ?', params: ['nobody'], rows: 1 };
      expect((await faultOf(temp.store.commit(NURSE, [create(patient('1'))], [row, fenced]))).kind).toBe('conflict');
      expect(await temp.store.head()).toBe(0);
      expect(await temp.store.query("SELECT * FROM cursor WHERE name = 'test'")).toEqual([]);
      await temp.store.commit(NURSE, [create(patient('1'))], [row]);
      expect((await faultOf(temp.store.commit(NURSE, [create(patient('1'))], [row]))).kind).toBe('conflict');
      expect(await temp.store.head()).toBe(1);
    });
  });
}
