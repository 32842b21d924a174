// What operators see of follow-ups and who is told of them, through /ops.
import { join } from 'node:path';
import type { Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IDENTIFIER } from '../../src/care/systems.ts';
import { createNotify, type Notify } from '../../src/notify/notify.ts';
import type { NotifySettings } from '../../src/notify/settings.ts';
import { loadTemplates } from '../../src/notify/templates.ts';
import { createSearchEngine } from '../../src/store/search/search-engine.ts';
import { createTransitions, type Transitions } from '../../src/transitions/transitions.ts';
import { artifacts, calendars, riskMethods } from '../care/artifacts.ts';
import type { TempStore } from '../support/temp-store.ts';
import { discharged, FACILITIES, patient } from '../transitions/hospital.ts';
import { FHIR, PARAMETERS, serve, type TestServer } from './serve.ts';

const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;
/** Nothing listens there. */
const SETTINGS: NotifySettings = {
  channels: [
    {
      name: 'pager',
      kind: 'webhook',
      url: 'http://127.0.0.1:9/hook',
      secret: `whsec_${Buffer.from('a secret of at least 24 bytes').toString('base64')}`,
      attempts: 1,
      digestMinutes: 0,
    },
  ],
  routes: [{ channels: ['pager'] }],
};

let baton: TestServer;
let transitions: Transitions;
let notify: Notify;

function makeParts({ store, clock }: TempStore) {
  const log = pino({ level: 'silent' });
  const engine = createSearchEngine({ parameters: PARAMETERS, baseUrl: FHIR });
  const common = { store, clock, log, facilities: FACILITIES };
  const parse = (query: string) => engine.parse(query);
  transitions = createTransitions({ ...common, calendars, artifacts, riskMethods, parse });
  const templates = loadTemplates(join(import.meta.dirname, '../../profiles/notifications'));
  notify = createNotify({ ...common, settings: SETTINGS, templates, baseUrl: 'https://baton.example', fetch });
  return { transitions, notify };
}

beforeAll(async () => {
  baton = await serve(makeParts);
  const { store, clock } = baton.temp;
  const organization = {
    resourceType: 'Organization' as const,
    id: 'river',
    name: 'Riverside',
    identifier: [{ system: IDENTIFIER.facility, value: 'RIVER' }],
  };
  const now = clock.now();
  const period = {
    start: now.subtract({ hours: 120 }).toString({ smallestUnit: 'second' }),
    end: now.subtract({ minutes: 5 }).toString({ smallestUnit: 'second' }),
  };
  const { diagnosis: _, ...stay } = discharged({ period });
  for (const resource of [organization, patient(), stay]) await store.commit(NURSE, [{ op: 'update', resource }]);
  await notify.tick();
  await transitions.run();
});
afterAll(() => baton.close());

const get = async (path: string) => (await baton.send('GET', `/ops${path}`)).json;
const post = async (path: string, body: object = {}) =>
  baton.send('POST', `/ops${path}`, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
const river = async () =>
  ((await get('/follow-ups/counts')).facilities as { code: string }[]).find(({ code }) => code === 'RIVER');

it('counts what waits, for each facility', async () => {
  expect(await river()).toMatchObject({ facility: 'Organization/river', due: 0, overdue: 0, failing: 0 });
  const before = (await river()) as unknown as { unraised: number };
  expect(before.unraised).toBeGreaterThan(0);
  await transitions.tick();
  expect(await river()).toMatchObject({ unraised: 0, due: before.unraised });
});

it('lists follow-ups of a facility without anything about the person but a reference', async () => {
  const { text } = await baton.send('GET', '/ops/follow-ups?requester=Organization/river&limit=2');
  expect(JSON.parse(text).items).toHaveLength(2);
  for (const word of ['Sample', 'Ann']) expect(text).not.toContain(word);
});

it('lists as failing a follow-up whose owner has left', async () => {
  const { store } = baton.temp;
  const [found] = await store.find('Task?status=requested');
  const task = JSON.parse(found?.content ?? '') as Task;
  const owner = { reference: 'Practitioner/left' };
  const left = { resourceType: 'Practitioner', id: 'left', active: false } as const;
  for (const resource of [left, { ...task, owner }]) await store.commit(NURSE, [{ op: 'update', resource }]);
  const { items } = (await get('/follow-ups?owner=Practitioner/left')) as unknown as { items: object[] };
  expect(items).toMatchObject([
    { task: `Task/${task.id}`, failing: expect.stringContaining('Practitioner/left has left') },
  ]);
});

it('lists what fails, and has it tried again', async () => {
  const [task] = (await baton.temp.store.find('Task?status=requested')).map(
    ({ content }) => JSON.parse(content) as Task,
  );
  const row = `INSERT INTO sweep_failure (task, pass, failures, since, next_at, reason) VALUES (?, 'raise-at', 3, 1, 8e15, 'It is not valid.')`;
  await baton.temp.store.commit(NURSE, [], [{ sql: row, params: [task?.id ?? ''] }]);
  expect((await get('/follow-ups/failing')).items).toMatchObject([{ task: task?.id, failures: 3 }]);
  expect(await river()).toMatchObject({ failing: 1 });
  expect((await post('/follow-ups/rewind', { task: 'other' })).json).toMatchObject({ rewound: 0 });
  expect((await post('/follow-ups/rewind', { task: task?.id })).json).toMatchObject({
    rewound: 1,
    swept: { failed: 0 },
  });
  expect((await post('/follow-ups/rewind', { tusk: 1 })).status).toBe(400);
});

it('lists what could not be delivered, and has it tried again', async () => {
  await notify.tick();
  const { items } = (await get('/notifications?state=undelivered')) as unknown as { items: { request: string }[] };
  expect(items.length).toBeGreaterThan(0);
  expect(JSON.stringify(items)).not.toContain('Sample');
  const [first] = items;
  expect((await post('/notifications/retry', { request: first?.request })).json).toEqual({
    request: first?.request,
    waiting: 1,
  });
  expect((await post('/notifications/retry', { request: 'none' })).status).toBe(404);
  const again = (await get(`/notifications?request=${first?.request}`)).items as { state: string }[];
  expect(again.map(({ state }) => state).sort()).toEqual(['failed', 'undelivered']);
});
