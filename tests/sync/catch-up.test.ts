// Who is linked later than the streams began brings what the server has had of them all along. docs/sync-spec.md#I8
import type { Goal, Resource, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

const EARLY = { lastUpdated: '2026-11-01T00:00:00Z' };
const number = { identifier: [{ system: 'urn:mrn', value: '4711' }] };

let world: World;
let isAway = false;
beforeEach(async () => {
  world = await openWorld({
    connection: { matching: { trusted: ['urn:mrn'] } },
    sync: () => ({
      fetch: async (url, init) =>
        isAway && String(url).includes('patient=there') ? new Response('', { status: 503 }) : fetch(url, init),
    }),
  });
  const goal: Goal = {
    resourceType: 'Goal',
    id: 'goal',
    lifecycleStatus: 'active',
    description: { text: 'Walks' },
    subject: { reference: 'Patient/there' },
  };
  world.remote.put(patient('there', number), EARLY);
  world.remote.put(task('old', { for: { reference: 'Patient/there' } }), EARLY);
  world.remote.put(goal, EARLY);
  // Newer ones of a stranger move the watermarks on.
  world.remote.put(task('new', { for: { reference: 'Patient/stranger' } }));
  world.remote.put({ ...goal, id: 'other', subject: { reference: 'Patient/stranger' } } as Resource);
  await world.sync.pullNow();
  expect(await world.all('Task')).toEqual([]);
});
afterEach(() => world.cleanup());

const askedFor = () => world.remote.requests.filter(({ url }) => url.includes('patient=there'));

test('by the push that finds them there: with the next pull, and once', async () => {
  await world.write(patient('here', number));
  await world.sync.pushNow();
  await world.sync.pullNow();
  expect(await world.all<Task>('Task')).toMatchObject([{ for: { reference: 'Patient/here' } }]);
  expect(await world.all<Goal>('Goal')).toMatchObject([{ subject: { reference: 'Patient/here' } }]);
  const { length } = askedFor();
  await world.sync.pullNow();
  expect(askedFor()).toHaveLength(length);
});

test('by a person who says so, also when the first try fails', async () => {
  await world.write(patient('here', { ...number, birthDate: '1950-02-11' }));
  await world.sync.pushNow();
  const [question] = await world.sync.matches();
  await world.sync.decideMatch(NURSE, String(question?.id), { decision: 'link', to: 'here' });
  isAway = true;
  await world.sync.pullNow();
  expect(await world.all('Task')).toEqual([]);
  isAway = false;
  world.pass({ minutes: 20 });
  await world.sync.pullNow();
  expect([await world.all('Task'), await world.all('Goal')].map(({ length }) => length)).toEqual([1, 1]);
});
