// Resources that refer to each other are made together only where each of them could be made alone.
// docs/sync-spec.md#I8 docs/sync-spec.md#I12 docs/sync-spec.md#I15
import type { CarePlan, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import type { Sync, SyncOptions } from '../../src/sync/sync.ts';
import { type Door, EPIC_DOORS } from '../support/fake-remote-knobs.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

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

describe('a plan and its task', () => {
  const refers = { basedOn: [{ reference: 'CarePlan/c1' }] };
  const about = { activity: [{ reference: { reference: 'Task/t1' } }] };
  const write = async (type: 'CarePlan' | 'Task', text: string) =>
    world.write(
      type === 'Task' ? task('t1', { description: text, ...refers }) : carePlan('c1', { title: text, ...about }),
    );
  const counts = () => [there('CarePlan'), there('Task')];
  /** Refuses whatever has the word in it. */
  const refusing: typeof fetch = async (input, init) => {
    if (!String(init?.body ?? '').includes('"wrong"')) return fetch(input, init);
    return new Response('{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}', {
      status: 422,
      headers: { 'content-type': 'application/fhir+json' },
    });
  };
  async function passing(duration: Temporal.DurationLike, times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      world.pass(duration);
      await world.sync.pushNow();
    }
  }
  async function open(plan: string, work: string): Promise<void> {
    world = await openWorld({ connection: { mode: 'push' }, sync: () => ({ fetch: refusing }) });
    await world.write(patient('p1'));
    await write('Task', work);
    await write('CarePlan', plan);
    await world.sync.pushNow();
  }
  function expectBoth(): void {
    expect(counts()).toEqual([1, 1]);
    const [plan] = world.remote.all('CarePlan') as CarePlan[];
    const [work] = world.remote.all('Task') as Task[];
    expect([plan?.title, work?.description]).toEqual(['right', 'right']);
    expect(work?.basedOn?.[0]?.reference).toBe(`CarePlan/${plan?.id}`);
    expect(plan?.activity?.[0]?.reference?.reference).toBe(`Task/${work?.id}`);
  }

  test('one that the server refuses keeps the other from nothing once it is right', async () => {
    await open('right', 'wrong');
    expect(counts()).toEqual([1, 0]);
    await write('Task', 'right');
    await world.sync.pushNow();
    await passing({ minutes: 20 }, 1);
    expectBoth();
  });

  test('the first of two refused ones goes as soon as it is right', async () => {
    await open('wrong', 'wrong');
    expect(counts()).toEqual([0, 0]);
    await write('Task', 'right');
    await world.sync.pushNow();
    expect(counts()).toEqual([0, 1]);
    await write('CarePlan', 'right');
    await passing({ minutes: 20 }, 2);
    expectBoth();
  });

  test('two that wait for each other go together', async () => {
    const ids = { CarePlan: 'c1', Task: 't1' };
    const waits = async (type: 'CarePlan' | 'Task', other: 'CarePlan' | 'Task', seconds: number) =>
      world.temp.store.commit(
        NURSE,
        [],
        [
          {
            sql: "UPDATE outbox SET waits_for = ?, next_at = ? WHERE type = ? AND state = 'queued'",
            params: [`${other}/${ids[other]}`, Temporal.Now.instant().epochMilliseconds + seconds * 1000, type],
          },
        ],
      );
    await open('wrong', 'wrong');
    world.pass({ seconds: 1 });
    for (const type of ['CarePlan', 'Task'] as const) await write(type, 'right');
    world.remote.knobs.refusals.push(...Array.from({ length: 20 }, () => ({ status: 503 })));
    await world.sync.pushNow();
    world.remote.knobs.refusals.length = 0;
    await waits('CarePlan', 'Task', 60);
    await waits('Task', 'CarePlan', 90);
    await passing({ seconds: 40 }, 3);
    expectBoth();
  });

  test('is not made a second time when another process makes it after it was found missing', async () => {
    let other: Sync | undefined;
    let asked = 0;
    const late = (store: SyncOptions['store']): SyncOptions['store'] =>
      new Proxy(store, {
        get(target, key) {
          const value = Reflect.get(target, key);
          if (key !== 'query') return typeof value === 'function' ? value.bind(target) : value;
          return async (...args: Parameters<typeof store.query>) => {
            // The first time to see whether it is withheld, the second to claim it.
            const isAsked = args[0].includes('ORDER BY CASE WHEN') && args[1]?.includes('t1') && there('Patient') > 0;
            asked += isAsked ? 1 : 0;
            if (isAsked && asked === 2) await other?.pushNow();
            return target.query(...args);
          };
        },
      });
    world = await openWorld({
      connection: { mode: 'push' },
      knobs: { conditionalCreate: false },
      sync: (store) => (asked < 0 ? {} : { store: late(store) }),
    });
    await world.write(patient('p1'));
    await write('Task', 'right');
    await write('CarePlan', 'right');
    asked = -1;
    other = world.another();
    asked = 0;
    await world.sync.pushNow();
    await other.stop();
    expect(asked).toBeGreaterThan(1);
    expectBoth();
  });
});
