// What is there already goes on, whatever the server refuses of what it refers to. docs/sync-spec.md#I15
import type { Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { carePlan, NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
let isStrict: boolean;
beforeEach(() => {
  isStrict = true;
});
afterEach(async () => world.cleanup());

/** Refuses whatever has the word in it. */
const refusing: typeof fetch = async (input, init) => {
  if (!isStrict || !String(init?.body ?? '').includes('"wrong"')) return fetch(input, init);
  return new Response('{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}', {
    status: 422,
    headers: { 'content-type': 'application/fhir+json' },
  });
};

async function pushing(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    world.pass({ minutes: 20 });
    await world.sync.pushNow();
  }
}
const there = () => (world.remote.all('Task') as Task[])[0];

test.each([
  ['that is corrected', async () => world.write(carePlan('c1', { title: 'right' }))],
  [
    'as it was, by a person’s word',
    async () => {
      isStrict = false;
      const [row] = await world.temp.store.query("SELECT id FROM outbox WHERE state = 'rejected'");
      await world.sync.retry(NURSE, String(row?.id));
    },
  ],
])(
  'an edit goes without a link to a plan that the server refuses, and gets the link once it takes it: %s',
  async (_how, take) => {
    world = await openWorld({ connection: { mode: 'push' }, sync: () => ({ fetch: refusing }) });
    await world.write(patient('p1'));
    await world.write(task('t1'));
    await world.sync.pushNow();
    await world.write(carePlan('c1', { title: 'wrong' }));
    await world.write(task('t1', { status: 'accepted', basedOn: [{ reference: 'CarePlan/c1' }] }));
    await pushing(3);
    expect(there()).toMatchObject({ status: 'accepted', basedOn: [{ identifier: { value: 'c1' } }] });
    expect(await world.sync.status()).toMatchObject([{ outbox: { queued: 0, rejected: 1 } }]);
    await take();
    await pushing(3);
    const [plan] = world.remote.all('CarePlan');
    expect(there()?.basedOn).toMatchObject([{ reference: `CarePlan/${plan?.id}` }]);
    const writes = world.remote.writes().length;
    await pushing(2);
    expect(world.remote.writes()).toHaveLength(writes);
  },
);

test('what is not there yet waits for it', async () => {
  world = await openWorld({ connection: { mode: 'push' }, sync: () => ({ fetch: refusing }) });
  await world.write(patient('p1'));
  await world.write(carePlan('c1', { title: 'wrong' }));
  await world.write(task('t1', { basedOn: [{ reference: 'CarePlan/c1' }] }));
  await pushing(3);
  expect(there()).toBeUndefined();
  await world.write(carePlan('c1', { title: 'right' }));
  await pushing(3);
  expect(there()?.basedOn).toMatchObject([{ reference: `CarePlan/${world.remote.all('CarePlan')[0]?.id}` }]);
});
