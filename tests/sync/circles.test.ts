// Resources that refer to each other are made together only where each of them could be made alone.
// docs/sync-spec.md#I8 docs/sync-spec.md#I12 docs/sync-spec.md#I15
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { type Door, EPIC_DOORS } from '../support/fake-remote-knobs.ts';
import { carePlan, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(async () => world.cleanup());

const MRN = { system: 'urn:hospital', value: '4711', type: { text: 'MRN' } };
const there = (type: string) => world.remote.all(type).length;

describe('a patient in a circle', () => {
  const door: Door = {
    interactions: ['read', 'search-type', 'create', 'update'],
    search: ['identifier', '_lastUpdated', 'patient'],
  };
  const relative = { resourceType: 'RelatedPerson', id: 'd1', patient: { reference: 'Patient/p1' } } as const;
  const kin = { link: [{ type: 'seealso', other: { reference: 'RelatedPerson/d1' } }] };

  test('is looked for first, and is not made a second time', async () => {
    world = await openWorld({
      connection: { types: { Patient: 'push', RelatedPerson: 'push' }, mode: 'push' },
      knobs: { doors: { ...EPIC_DOORS, Patient: door, RelatedPerson: door } },
    });
    world.remote.put(patient('known', { identifier: [MRN] }));
    await world.write(patient('p1', { identifier: [MRN], ...kin }));
    await world.write(relative);
    await world.sync.pushNow();
    expect([there('Patient'), there('RelatedPerson')]).toEqual([1, 1]);
    const [known] = world.remote.all('Patient') as Patient[];
    const [kinThere] = world.remote.all('RelatedPerson');
    expect(known?.link?.[0]?.other.reference).toBe(`RelatedPerson/${kinThere?.id}`);
    const writes = world.remote.writes().length;
    await world.sync.pushNow();
    expect(world.remote.writes()).toHaveLength(writes);
  });

  test('with another patient is looked for, too', async () => {
    world = await openWorld({ connection: { types: { Patient: 'push' }, mode: 'push' } });
    world.remote.put(patient('known', { identifier: [MRN] }));
    const seeAlso = (id: string) => ({ link: [{ type: 'seealso', other: { reference: `Patient/${id}` } }] });
    await world.write(patient('p1', { identifier: [MRN], ...seeAlso('p2') }));
    await world.write(patient('p2', { birthDate: '1971-07-01', name: [{ family: 'Okafor' }], ...seeAlso('p1') }));
    await world.sync.pushNow();
    expect(there('Patient')).toBe(2);
  });

  test('who was merged here is not made with whom they were merged into', async () => {
    world = await openWorld({ connection: { types: { Patient: 'push' }, mode: 'push' } });
    const toward = (type: string, id: string) => ({ link: [{ type, other: { reference: `Patient/${id}` } }] });
    await world.write(patient('old', { active: false, ...toward('replaced-by', 'new') }));
    await world.write(patient('new', { identifier: [MRN], ...toward('replaces', 'old') }));
    await world.sync.pushNow();
    expect(there('Patient')).toBe(1);
    const writes = world.remote.writes().length;
    await world.sync.pushNow();
    expect(world.remote.writes()).toHaveLength(writes);
  });

  test('is not made by a server that makes its patients itself, and nothing about them goes as nobody’s', async () => {
    world = await openWorld({
      connection: { types: { Patient: 'push', RelatedPerson: 'push' }, mode: 'push', matching: { owner: 'remote' } },
      knobs: { doors: { ...EPIC_DOORS, Patient: door, RelatedPerson: door } },
    });
    await world.write(relative);
    await world.write(patient('p1', { identifier: [MRN], ...kin }));
    await world.sync.pushNow();
    expect([there('Patient'), there('RelatedPerson')]).toEqual([0, 0]);
  });
});

test('one that the server refuses keeps the other from nothing once it is right', async () => {
  const refusing: typeof fetch = async (input, init) => {
    const body = String(init?.body ?? '');
    if (!body.includes('"description":"wrong"')) return fetch(input, init);
    return new Response('{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}', {
      status: 422,
      headers: { 'content-type': 'application/fhir+json' },
    });
  };
  world = await openWorld({ connection: { mode: 'push' }, sync: () => ({ fetch: refusing }) });
  await world.write(patient('p1'));
  const refers = { basedOn: [{ reference: 'CarePlan/c1' }] };
  await world.write(task('t1', { description: 'wrong', ...refers }));
  await world.write(carePlan('c1', { activity: [{ reference: { reference: 'Task/t1' } }] }));
  await world.sync.pushNow();
  expect([there('CarePlan'), there('Task')]).toEqual([1, 0]);
  await world.write(task('t1', { description: 'right', ...refers }));
  await world.sync.pushNow();
  world.pass({ minutes: 20 });
  await world.sync.pushNow();
  expect((world.remote.all('Task') as Task[]).map(({ description }) => description)).toEqual(['right']);
  expect(there('CarePlan')).toBe(1);
});
