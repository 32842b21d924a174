// What was kept of two copies, compared in the terms of now: what they refer to may have been linked since.
// docs/sync-spec.md#I10 docs/sync-spec.md#I13
import type { CarePlan, Resource, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.sync.pushNow();
});
afterEach(() => world.cleanup());

const subject = () => ({ reference: `Patient/${world.remote.all('Patient')[0]?.id}` });
const own = (value: string) => ({ identifier: [{ system: 'https://baton.test/id', value }] });
const doing = (...ids: string[]) => ({ activity: ids.map((id) => ({ reference: { reference: `Task/${id}` } })) });
const activities = (plan: CarePlan | undefined) => plan?.activity?.map(({ reference }) => reference?.reference);
const planThere = (fields: object): Resource => carePlan('there-c1', { subject: subject(), ...fields });
const taskThere = (id: string, fields: object = {}): Resource => task(id, { for: subject(), ...fields });
const plan = async () => (await world.all<CarePlan>('CarePlan'))[0];
const only = async () => String((await world.sync.conflicts())[0]?.id);

test('a reference that was linked after the question is not proposed twice', async () => {
  await world.write(carePlan('c1', doing('t1')));
  await world.write(task('t1'));
  // Made by us, edited there, and no answer ever came.
  world.remote.put(planThere({ ...own('c1'), ...doing('there-t1') }));
  world.remote.put(planThere({ ...own('c1'), ...doing('there-t1'), title: 'Theirs' }));
  world.remote.put(taskThere('there-t1', own('t1')));
  await world.sync.pullNow();
  const { elements, proposed } = await world.sync.conflict(await only());
  expect(elements.map(({ path }) => path).filter((path) => path.startsWith('activity'))).toEqual(['activity[Task/t1]']);
  expect(activities(proposed as unknown as CarePlan)).toEqual(['Task/t1']);
  await world.sync.resolve(NURSE, await only(), { take: 'proposed' });
  await world.sync.pushNow();
  await world.sync.pullNow();
  expect(activities(await plan())).toEqual(['Task/t1']);
  expect(activities(world.remote.all('CarePlan')[0] as CarePlan)).toEqual(['Task/there-t1']);
});

test.each(['proposed', 'theirs'] as const)('what %s names that comes later is pointed to it', async (take) => {
  world.remote.put(planThere({ author: { display: 'Nobody yet' } }));
  await world.sync.pullNow();
  const { id } = (await plan()) ?? { id: '' };
  world.remote.put(planThere({ author: { display: 'Theirs' }, ...doing('there-t1') }));
  await world.write(carePlan(id, { author: { display: 'Ours' } }));
  await world.sync.pullNow();
  await world.sync.resolve(NURSE, await only(), { take });
  expect(activities(await plan())).toEqual([`${world.remote.baseUrl}/Task/there-t1`]);
  world.remote.put(taskThere('there-t1'));
  await world.sync.pullNow();
  const [made] = await world.all<Task>('Task');
  expect(activities(await plan())).toEqual([`Task/${made?.id}`]);
});

test('so is what a push merged', async () => {
  await world.write(carePlan('c1'));
  await world.sync.pushNow();
  const [there] = world.remote.all('CarePlan');
  world.remote.put({ ...there, ...doing('there-t1') } as CarePlan);
  await world.write(carePlan('c1', { title: 'Edited here' }));
  await world.sync.pushNow();
  expect(activities(await plan())).toEqual([`${world.remote.baseUrl}/Task/there-t1`]);
  world.remote.put(taskThere('there-t1'));
  await world.sync.pullNow();
  const [made] = await world.all<Task>('Task');
  expect(activities(await plan())).toEqual([`Task/${made?.id}`]);
});

test('what we took out is taken out there, although the common version names it otherwise', async () => {
  await world.cleanup();
  world = await openWorld({ connection: { types: { Patient: 'both', CarePlan: 'both', Practitioner: 'push' } } });
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const number = { identifier: [{ system: 'urn:npi', value: '1' }] };
  const { id } = world.remote.put({ resourceType: 'Practitioner', ...number });
  const other = { display: 'Somebody else' };
  world.remote.put(planThere({ contributor: [{ reference: `Practitioner/${id}` }, other] }));
  await world.sync.pullNow();
  const pulled = (await plan()) as CarePlan & { id: string };
  expect(pulled.contributor).toEqual([{ reference: `${world.remote.baseUrl}/Practitioner/${id}` }, other]);
  await world.write({ resourceType: 'Practitioner', id: 'nurse', ...number });
  await world.sync.pushNow();
  await world.write({ ...pulled, contributor: [other] });
  await world.sync.pushNow();
  expect(world.remote.all('CarePlan')).toMatchObject([{ contributor: [other] }]);
});

test('an edit that was taken back there ends the question', async () => {
  await world.write(task('t1'));
  await world.sync.pushNow();
  const [there] = world.remote.all('Task');
  world.remote.put({ ...there, owner: { display: 'Theirs' } } as Task);
  await world.write(task('t1', { owner: { display: 'Ours' } }));
  await world.sync.pullNow();
  expect(await world.sync.conflicts()).toHaveLength(1);
  world.remote.put(there as Task);
  await world.sync.pullNow();
  expect(await world.sync.conflicts()).toEqual([]);
  await world.sync.pushNow();
  expect(world.remote.all('Task')).toMatchObject([{ owner: { display: 'Ours' } }]);
});
