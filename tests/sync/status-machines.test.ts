// The status machines at the door of sync: another server may have taken steps that we did not see, and what no steps lead
// to waits for a person. No page is lost over it. docs/sync-spec.md#I9
import type { CarePlan, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isReachable } from '../../src/fhir/status/machine.ts';
import { TASK, type TaskStatus } from '../../src/fhir/status/task.ts';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
});
afterEach(() => world.cleanup());

function there(localId: string): Task {
  const found = (world.remote.all('Task') as Task[]).find(({ identifier }) =>
    identifier?.some(({ value }) => value === localId),
  );
  if (!found) throw new Error(`no remote copy of ${localId}`);
  return found;
}

const status = async (id: string) => (await world.read<Task>('Task', id))?.status;
const keptAside = () => world.events.filter(({ kind }) => kind === 'quarantined');

/** Both sides have the task, with that status. */
async function share(id: string, first: TaskStatus, more: object = {}): Promise<void> {
  await world.write(task(id, { status: first, ...more }));
  await world.sync.pushNow();
}

test('whatever both sides make of it, a status is where steps lead, or a person is asked', async () => {
  const statuses = Object.keys(TASK.successors) as TaskStatus[];
  const any = fc.constantFrom(...statuses);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(any, any, fc.nat(), async (first, theirs, pick) => {
      number += 1;
      const id = `t${number}`;
      await share(id, first);
      const moves = [first, ...TASK.successors[first]];
      const ours = moves[pick % moves.length] ?? first;
      await world.write(task(id, { status: ours }));
      world.remote.put({ ...there(id), status: theirs });
      await world.sync.pullNow();
      const asked = (await world.sync.conflicts()).filter(({ localId }) => localId === id);
      const here = (await status(id)) as TaskStatus;
      expect(isReachable(TASK, ours, here)).toBe(true);
      if (asked.length > 0) {
        expect(here).toBe(ours);
        return;
      }
      expect([ours, theirs]).toContain(here);
      if (here === theirs) expect(theirs === ours || isReachable(TASK, first, theirs)).toBe(true);
    }),
    { numRuns: 8 },
  );
  expect(keptAside()).toEqual([]);
});

const plan = (fields: object) => carePlan('x', fields);
const subject = { reference: 'Patient/p1' };
const words = { text: 'Walks' };

/** One of each type, with a status that has ended and one that nothing which has ended may go back to. */
test.each([
  ['Task', 'status', task('x', { status: 'completed' }), 'requested'],
  ['CarePlan', 'status', plan({ status: 'completed' }), 'active'],
  ['Goal', 'lifecycleStatus', { lifecycleStatus: 'completed', description: words, subject }, 'active'],
  ['ServiceRequest', 'status', { status: 'revoked', intent: 'order', code: words, subject }, 'active'],
  ['EpisodeOfCare', 'status', { status: 'finished', patient: subject }, 'active'],
  ['CareTeam', 'status', { status: 'inactive', subject }, 'active'],
] as const)('%s: a step back there is asked of a person, by pull and by push', async (type, element, fields, back) => {
  await world.cleanup();
  world = await openWorld({ connection: { types: { Patient: 'both', [type]: 'both' } } });
  await world.write(patient('p1'));
  for (const id of ['pulled', 'pushed']) await world.write({ ...fields, resourceType: type, id } as never);
  await world.sync.pushNow();
  const copies = new Map(world.remote.all(type).map((one) => [ownId(one), one]));
  const stepBack = (id: string) => world.remote.put({ ...copies.get(id), [element]: back } as never);
  stepBack('pulled');
  await world.sync.pullNow();
  stepBack('pushed');
  await world.write({ ...fields, resourceType: type, id: 'pushed', language: 'en' } as never);
  await world.sync.pushNow();
  const asked = (await world.sync.conflicts()).toSorted((a, b) => a.localId.localeCompare(b.localId));
  const question = { kind: 'content', paths: [{ path: element, theirs: back, why: 'transition' }] };
  expect(asked).toMatchObject([
    { ...question, localId: 'pulled' },
    { ...question, localId: 'pushed' },
  ]);
  expect(await world.read(type, 'pushed')).toMatchObject({ [element]: (fields as never)[element] });
  expect(world.events.filter(({ kind }) => kind === 'quarantined' || kind === 'parked')).toEqual([]);
});

function ownId(resource: object): string | undefined {
  const { identifier = [] } = resource as Task;
  return identifier.find(({ system }) => system === 'https://baton.test/id')?.value;
}

describe('a step that nobody may take', () => {
  test('waits beside what else the page brings', async () => {
    await share('t1', 'completed');
    await share('t2', 'draft');
    world.remote.put({ ...there('t1'), status: 'requested' });
    // draft, requested, in-progress, completed: none of the steps between was seen.
    world.remote.put({ ...there('t2'), status: 'completed' });
    await world.sync.pullNow();
    const conflicts = await world.sync.conflicts();
    expect(conflicts).toMatchObject([
      { kind: 'content', localId: 't1', paths: [{ path: 'status', theirs: 'requested', why: 'transition' }] },
    ]);
    expect([await status('t1'), await status('t2')]).toEqual(['completed', 'completed']);
    expect(keptAside()).toEqual([]);
  });

  test('backwards from where we are is one, although both moved on from the same', async () => {
    await share('t1', 'requested');
    await world.write(task('t1', { status: 'in-progress' }));
    world.remote.put({ ...there('t1'), status: 'accepted' });
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toMatchObject([{ localId: 't1', paths: [{ why: 'transition' }] }]);
    expect(await status('t1')).toBe('in-progress');
  });

  test('is taken by a person who says so, and by no body of their own', async () => {
    await share('t1', 'completed');
    world.remote.put({ ...there('t1'), status: 'requested' });
    await world.sync.pullNow();
    const [conflict] = await world.sync.conflicts();
    const id = String(conflict?.id);
    const edited = { take: 'edited', body: { ...conflict?.local, status: 'draft' } } as const;
    await expect(world.sync.resolve(NURSE, id, edited)).rejects.toMatchObject({
      kind: 'unprocessable',
      message: 'A Task that is completed cannot become draft; it can become entered-in-error.',
    });
    await world.sync.resolve(NURSE, id, { take: 'theirs' });
    expect(await status('t1')).toBe('requested');
  });

  test('is told of a referral by the claim of our copy, which does not travel', async () => {
    const profile = ['https://baton.health/fhir/StructureDefinition/baton-referral-task'];
    const code = { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] };
    const rest = {
      code,
      focus: { reference: 'ServiceRequest/sr-1' },
      authoredOn: '2026-11-20',
      requester: { display: 'A clinic' },
    };
    await share('t1', 'requested', { meta: { profile }, ...rest });
    // No status of a referral, but one of any other Task.
    world.remote.put({ ...there('t1'), status: 'received' });
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toMatchObject([{ localId: 't1', paths: [{ path: 'status' }] }]);
    expect(await status('t1')).toBe('requested');
    expect(keptAside()).toEqual([]);
  });

  test('is a sign-off by nobody qualified: it waits for a person', async () => {
    const reconciliation = {
      code: { coding: [{ system: 'http://snomed.info/sct', code: '430193006' }] },
      input: [{ type: { text: 'Medications' }, valueReference: { reference: 'List/current' } }],
    };
    await share('t1', 'in-progress', reconciliation);
    await share('t2', 'in-progress');
    for (const id of ['t1', 't2']) world.remote.put({ ...there(id), status: 'completed' });
    await world.sync.pullNow();
    const [conflict, ...others] = await world.sync.conflicts();
    expect([conflict, ...others]).toMatchObject([
      { kind: 'content', localId: 't1', paths: [{ path: 'status', ours: 'in-progress', theirs: 'completed' }] },
    ]);
    expect([await status('t1'), await status('t2')]).toEqual(['in-progress', 'completed']);
    await world.sync.pullNow();
    expect(await world.sync.conflicts()).toHaveLength(1);
    expect(keptAside()).toEqual([]);
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'theirs' });
    expect(await status('t1')).toBe('completed');
  });

  test('is a sign-off that a push meets there: asked, not parked, and nothing else waits', async () => {
    const reconciliation = {
      code: { coding: [{ system: 'http://snomed.info/sct', code: '430193006' }] },
      input: [{ type: { text: 'Medications' }, valueReference: { reference: 'List/current' } }],
    };
    await share('t1', 'in-progress', reconciliation);
    world.remote.put({ ...there('t1'), status: 'completed' });
    await world.write(task('t1', { status: 'in-progress', ...reconciliation, description: 'Ours' }));
    await world.sync.pushNow();
    const [conflict, ...others] = await world.sync.conflicts();
    expect([conflict, ...others]).toMatchObject([
      { kind: 'content', localId: 't1', paths: [{ path: 'status', ours: 'in-progress', theirs: 'completed' }] },
    ]);
    expect(conflict?.proposed).toMatchObject({ status: 'in-progress', description: 'Ours' });
    expect(world.events.filter(({ kind }) => kind === 'parked')).toEqual([]);
    await world.sync.resolve(NURSE, String(conflict?.id), { take: 'ours' });
    await world.sync.pushNow();
    expect([there('t1').status, there('t1').description]).toEqual(['in-progress', 'Ours']);
  });

  test('is a second plan of a case that goes on: it waits until the first has ended', async () => {
    const identifier = [{ system: 'urn:baton:case-plan', value: 'case-1' }];
    await world.write(carePlan('first', { identifier }));
    await world.write(carePlan('second', { identifier, status: 'draft' }));
    await world.sync.pushNow();
    const copy = world.remote.all('CarePlan').find((one) => (one as CarePlan).status === 'draft');
    world.remote.put({ ...(copy as CarePlan), status: 'active' });
    await world.sync.pullNow();
    const [conflict] = await world.sync.conflicts();
    expect(conflict).toMatchObject({ localId: 'second', paths: [{ path: 'status', ours: 'draft', theirs: 'active' }] });
    const theirs = { take: 'theirs' } as const;
    await expect(world.sync.resolve(NURSE, String(conflict?.id), theirs)).rejects.toMatchObject({
      message: expect.stringContaining('has a plan that goes on'),
    });
    await world.write(carePlan('first', { identifier, status: 'completed' }));
    await world.sync.resolve(NURSE, String(conflict?.id), theirs);
    expect((await world.read<CarePlan>('CarePlan', 'second'))?.status).toBe('active');
    expect(keptAside()).toEqual([]);
  });

  test('is no reason to touch what has ended here when the other side deletes its copy', async () => {
    await world.restart(() => ({ policies: { Task: { default: 'theirs', gone: { status: 'cancelled' } } } }));
    await share('t1', 'completed');
    await share('t2', 'requested');
    for (const id of ['t1', 't2']) world.remote.remove('Task', String(there(id).id));
    for (let round = 0; round < 3; round += 1) {
      world.pass({ hours: 25 });
      await world.sync.pullNow();
    }
    expect(await status('t1')).toBe('completed');
    expect(keptAside()).toEqual([]);
  });
});
