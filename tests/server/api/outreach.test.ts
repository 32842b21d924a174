// Outreach campaigns among the members of a panel, through /api/v1.
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OutreachView } from '../../../src/care/outreach/outreach-schema.ts';
import { createRegistry } from '../../../src/registry/registry.ts';
import { createSearchEngine } from '../../../src/store/search/search-engine.ts';
import { condition, PANELS, person } from '../../registry/population.ts';
import { FHIR, PARAMETERS } from '../serve.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
let nurse: string;

const put = (...all: object[]) =>
  baton.put(...(all as { readonly resourceType: string; readonly id: string; readonly [name: string]: unknown }[]));
const NURSE = { reference: 'Practitioner/nurse' };
const CALL = { campaign: 'flu', reason: { text: 'No vaccination' }, due: '2099-01-15', owner: NURSE };

beforeAll(async () => {
  baton = await serveApi();
  const people = ['ann', 'bea', 'cleo', 'dot', 'eve'];
  await put(...people.map((id) => person(id, '1940-01-01')));
  await put(
    ...people.map((id) => condition(`${id}-copd`, id, 'J44.1')),
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    {
      resourceType: 'PractitionerRole',
      id: 'nurse-role',
      active: true,
      practitioner: NURSE,
      code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'case-manager' }] }],
    },
    {
      resourceType: 'CareTeam',
      id: 'team',
      status: 'active',
      subject: { reference: 'Patient/ann' },
      participant: [{ member: NURSE }],
    },
  );
  const registry = createRegistry({
    store: baton.temp.store,
    clock: baton.temp.clock,
    zone: 'UTC',
    panels: PANELS,
    parse: createSearchEngine({ parameters: PARAMETERS, baseUrl: FHIR }).parse,
    log: pino({ level: 'silent' }),
  });
  await registry.tick();
  nurse = await baton.tokenOf('Practitioner/nurse', 'user/*.cruds');
});
afterAll(() => baton.close());

const reach = (body: object, as?: string) =>
  baton.api('POST', '/panels/copd/outreach', { body, ...(as === undefined ? {} : { as }) });
const viewOf = (answer: { json: unknown }) => answer.json as OutreachView;
const tasksOf = async (campaign: string) => {
  const answer = await baton.fhir('GET', `/Task?group-identifier=urn:baton:outreach-campaign|copd\\|${campaign}`);
  return answer.json.entry ?? [];
};

it('reaches whom the caller may see, and nobody else', async () => {
  const mine = await reach(CALL, nurse);
  expect(mine.status, mine.text).toBe(201);
  expect(viewOf(mine)).toMatchObject({ members: 1, open: 1, items: [{ patient: { reference: 'Patient/ann' } }] });
  const [task] = await tasksOf('flu');
  expect(task?.resource).toMatchObject({
    meta: { profile: ['https://baton.health/fhir/StructureDefinition/baton-outreach'] },
    status: 'requested',
    for: { reference: 'Patient/ann' },
    owner: NURSE,
    requester: NURSE,
    reasonCode: { text: 'No vaccination' },
    restriction: { period: { end: expect.stringMatching(/^2099-01-15T23:59:59/) } },
  });
  const work = await baton.api('GET', '/worklist?owner=Practitioner/nurse', { as: nurse });
  expect(work.text).toContain(String(task?.resource?.id));
});

it('goes on in pages, opens none twice, and leaves alone what was done', async () => {
  const [task] = await tasksOf('flu');
  const id = task?.resource?.id ?? '';
  await put({ ...(task?.resource as object), status: 'completed' });
  const seen: OutreachView[] = [];
  for (let after: string | undefined; seen.length < 3; ) {
    const answer = await reach({ ...CALL, limit: 2, ...(after ? { after } : {}) });
    expect([200, 201], answer.text).toContain(answer.status);
    seen.push(viewOf(answer));
    after = viewOf(answer).next;
    expect(after === undefined).toBe(seen.length === 3);
  }
  const sum = (member: 'members' | 'open' | 'ended' | 'without') => seen.reduce((all, one) => all + one[member], 0);
  expect([sum('members'), sum('open'), sum('ended'), sum('without')]).toEqual([5, 4, 1, 0]);
  const again = await reach(CALL);
  expect([again.status, viewOf(again).open, viewOf(again).ended], again.text).toEqual([200, 4, 1]);
  expect(await tasksOf('flu')).toHaveLength(5);
  expect((await baton.fhir('GET', `/Task/${id}`)).json).toMatchObject({
    status: 'completed',
    meta: { versionId: '2' },
  });
});

it('twice at once opens one each', async () => {
  const both = await Promise.all([1, 2].map(() => reach({ ...CALL, campaign: 'twice' })));
  expect(both.map(({ json }) => viewOf({ json }).open)).toEqual([5, 5]);
  expect(await tasksOf('twice')).toHaveLength(5);
});

it('leaves out who has died, and can name a role instead of a person', async () => {
  await put({ ...person('eve', '1940-01-01'), deceasedBoolean: true });
  const { owner: _, ...call } = CALL;
  const answer = await reach({ ...call, campaign: 'role', role: { text: 'Nurse' } });
  expect(viewOf(answer), answer.text).toMatchObject({ members: 5, open: 4, without: 1 });
  const tasks = await tasksOf('role');
  expect(tasks.every(({ resource }) => JSON.stringify(resource).includes('"performerType":[{"text":"Nurse"}]'))).toBe(
    true,
  );
});

it.each([
  [{ due: '2020-01-01' }, 'due'],
  [{ role: { text: 'Nurse' } }, 'owner'],
  [{ owner: undefined }, 'owner'],
  [{ owner: { reference: 'Practitioner/nobody' } }, 'owner'],
])('refuses %j, and opens nothing', async (wrong, member) => {
  const answer = await reach({ ...CALL, campaign: 'wrong', ...wrong });
  expect([answer.status, answer.json.errors], answer.text).toMatchObject([422, [{ member }]]);
  expect(await tasksOf('wrong')).toEqual([]);
});

it('of a panel with nobody on it is refused', async () => {
  const answer = await baton.api('POST', '/panels/diabetes-out-of-control/outreach', { body: CALL });
  expect(answer.status, answer.text).toBe(422);
});
