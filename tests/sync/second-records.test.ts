// A second record there of a patient of ours, by a person's word, whose first one is gone by now: nobody knows whose it is until a
// person says so again. docs/sync-spec.md#I8
import type { Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
const identifier = (value: string) => [{ system: 'urn:mrn', value }];
const quinn = (id: string) =>
  patient(id, { name: [{ family: 'Quinn', given: ['Zed'] }], birthDate: '1933-03-03', identifier: identifier('5') });
const okafor = (id: string) =>
  patient(id, { name: [{ family: 'Okafor' }], birthDate: '1999-09-09', identifier: identifier('2') });
const tasks = () => world.all<Task>('Task');
const described = async (description: string) => (await tasks()).find((one) => one.description === description);

beforeEach(async () => {
  world = await openWorld();
  for (const id of ['r1', 'r2']) world.remote.put(patient(id, { identifier: identifier('77') }));
  await world.write(patient('p1', { identifier: identifier('77') }));
  await world.sync.pushNow();
  for (const remoteId of ['r1', 'r2']) await decide(remoteId, 'p1');
  world.remote.put(quinn('r5'));
  await world.write(quinn('p2'));
  await world.sync.pushNow();
  world.remote.put(task('t2', { for: { reference: 'Patient/r2' }, description: 'Early' }));
  await exchange();
});
afterEach(() => world.cleanup());

async function exchange(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await world.sync.pullNow();
    await world.sync.pushNow();
  }
}

async function decide(remoteId: string, to?: string): Promise<void> {
  const question = (await world.sync.matches()).find((one) => one.remoteId === remoteId);
  const decision = to === undefined ? ({ decision: 'apart' } as const) : ({ decision: 'link', to } as const);
  await world.sync.decideMatch(NURSE, String(question?.id), decision);
}

async function loseFirst(): Promise<void> {
  world.remote.remove('Patient', 'r1');
  await world.sync.sweep();
}

test('the answer that it is somebody else of ours merges nobody', async () => {
  await loseFirst();
  world.remote.put(quinn('r2'));
  await exchange();
  await decide('r2', 'p2');
  await exchange();
  const patients = await world.all<Patient>('Patient');
  expect(patients.map(({ id, link, active }) => [id, link, active ?? true]).sort()).toEqual([
    ['p1', undefined, true],
    ['p2', undefined, true],
  ]);
  expect(await world.sync.matches()).toEqual([]);
});

test.each(['edited', 'new'])('what is about it waits meanwhile: %s', async (how) => {
  await loseFirst();
  world.remote.put(okafor('r2'));
  const about = { for: { reference: 'Patient/r2' }, description: 'About Okafor' };
  world.remote.put(task(how === 'edited' ? 't2' : 't3', about));
  await exchange();
  expect((await world.sync.matches()).map(({ remoteId }) => remoteId)).toEqual(['r2']);
  expect(await described('About Okafor')).toBeUndefined();
});

test('who names it beside their patient does not name ours, nor once that is denied', async () => {
  await loseFirst();
  world.remote.put(okafor('r2'));
  const [five] = await world.temp.store.query("SELECT remote_id FROM identity WHERE local_id = 'p2'");
  const names = { for: { reference: `Patient/${five?.remote_id}` }, requester: { reference: 'Patient/r2' } };
  world.remote.put(task('t7', { ...names, description: 'Beside' }));
  await exchange();
  expect((await described('Beside'))?.requester?.reference).toMatch(/^http/);
  await decide('r2');
  await exchange();
  expect((await described('Beside'))?.requester?.reference).toMatch(/^http/);
});
