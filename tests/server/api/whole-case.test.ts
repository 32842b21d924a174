// A case as a whole: what a nurse entered comes back as it was entered, from FHIR alone and on another server; and what apps
// wrote into any of its resources outlives commands on all of them.
import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goalInput, interventionInput, needInput } from '../../care/plan-samples.ts';
import { caregivers, contacts, equipment, members, referrals } from '../../care/refer/generated.ts';
import { type ApiServer, serveApi } from './api-client.ts';

type View = { readonly id: string; readonly [name: string]: unknown };

let here: ApiServer;
let there: ApiServer;
let count = 0;

beforeAll(async () => {
  [here, there] = await Promise.all([serveApi(), serveApi()]);
  await here.put(...['nurse', 'doctor'].map((id) => ({ resourceType: 'Practitioner', id, name: [{ family: id }] })), {
    resourceType: 'Organization',
    id: 'pantry',
    name: 'pantry',
    active: true,
  });
});
afterAll(() => Promise.all([here.close(), there.close()]));

const without = <T extends object>(arbitrary: fc.Arbitrary<T>, ...names: string[]) =>
  arbitrary.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => !names.includes(name))));
const past = (arbitrary: fc.Arbitrary<object>) =>
  arbitrary.map((one) => ({ ...one, started: '2026-10-01T10:00:00-05:00' }));
const several = (one: fc.Arbitrary<object>) => fc.array(one, { minLength: 1, maxLength: 2 });

/** What is entered, without what leads elsewhere: references are among what the case itself consists of. */
const entered = fc.record({
  opening: fc.record({
    programme: fc.constantFrom({ text: 'Heart failure' }, { system: 'urn:programme', code: 'hf', text: 'HF' }),
    priority: fc.constantFrom('routine', 'urgent'),
    reasons: fc.constantFrom([{ text: 'Two admissions' }], [{ text: 'Falls' }, { system: 'urn:r', code: 'x' }]),
  }),
  needs: several(without(needInput, 'statedBy', 'evidence')),
  goals: several(without(goalInput, 'expressedBy', 'addresses', 'start')),
  interventions: several(without(interventionInput, 'owner', 'goals', 'need')),
  contacts: several(past(without(contacts, 'with', 'intervention', 'ended'))),
  referrals: several(without(referrals, 'to', 'needs', 'goals', 'consent', 'due')),
  equipment: several(without(equipment, 'supplier', 'needs', 'coverage', 'neededBy')),
  caregivers: several(without(caregivers, 'start')),
  members: fc.array(without(members, 'member', 'onBehalfOf', 'start', 'end'), { minLength: 1, maxLength: 1 }),
  preferences: fc.constant([{ kind: 'treatment', preference: 'Comfort first' }]),
  flags: fc.constant([{ category: 'clinical', warning: { text: 'Falls' } }]),
});
type Entered = typeof entered extends fc.Arbitrary<infer T> ? T : never;

async function post(path: string, body: object): Promise<View> {
  const answer = await here.api('POST', path, { body });
  if (answer.status >= 300) throw new Error(`${path} ${JSON.stringify(body)}: ${answer.text}`);
  return answer.json as unknown as View;
}

/** Enters all of it. @returns the id of the case */
async function enter({ opening, members: team, flags, ...nouns }: Entered): Promise<string> {
  const patient = { reference: `Patient/whole-${++count}` };
  await here.put({ resourceType: 'Patient', id: patient.reference.slice(8), name: [{ family: 'Whole' }] });
  const { id } = await post('/cases', { patient, careManager: { reference: 'Practitioner/nurse' }, ...opening });
  const at = `/cases/${id}`;
  const needs = [];
  for (const need of nouns.needs) needs.push(await post(`${at}/needs`, need));
  const [need] = needs;
  const goals = [];
  for (const goal of nouns.goals) {
    goals.push(await post(`${at}/goals`, { ...goal, addresses: [{ reference: `Condition/${need?.id}` }] }));
  }
  const [goal] = goals;
  for (const one of nouns.interventions) {
    await post(`${at}/interventions`, { ...one, goals: [{ reference: `Goal/${goal?.id}` }] });
  }
  for (const one of nouns.referrals) {
    await post(`${at}/referrals`, {
      ...one,
      to: { reference: 'Organization/pantry' },
      needs: [need?.id],
      goals: [goal?.id],
    });
  }
  for (const one of nouns.contacts) await post(`${at}/contacts`, one);
  for (const one of nouns.equipment) await post(`${at}/equipment`, { ...one, needs: [need?.id] });
  for (const one of nouns.caregivers) await post(`${at}/caregivers`, one);
  for (const one of nouns.preferences) await post(`${at}/preferences`, one);
  for (const one of team) await post(`${at}/team/members`, { ...one, member: { reference: 'Practitioner/doctor' } });
  for (const one of flags) await post(`${at}/flags`, one);
  return id;
}

const LISTS = [
  'needs',
  'goals',
  'interventions',
  'contacts',
  'referrals',
  'equipment',
  'caregivers',
  'preferences',
  'flags',
  'advance-directives',
  'education',
  'conferences',
  'incidents',
  'medication-reconciliations',
] as const;

/** Everything that the API shows of the case. */
async function shown(server: ApiServer, id: string): Promise<Record<string, unknown>> {
  const paths = ['', 'plan', 'team', 'timeline', 'handover', ...LISTS];
  const entries = await Promise.all(
    paths.map(async (path) => {
      const answer = await server.api('GET', `/cases/${id}${path && '/'}${path}`);
      expect(answer.status, `${path} ${answer.text}`).toBe(200);
      return [
        path,
        JSON.parse(answer.text, (name, value) => (name === 'version' || name === 'written' ? undefined : value)),
      ];
    }),
  );
  return Object.fromEntries(entries);
}

/** All that is stored, but for who made which version. */
async function stored(server: ApiServer): Promise<Resource[]> {
  const rows = await server.temp.store.query(
    "SELECT content FROM resource WHERE deleted = 0 AND type <> 'Provenance' ORDER BY rid",
  );
  return rows.map(({ content }) => JSON.parse(String(content)));
}

it('entered, read back from FHIR by another server, is what was entered', async () => {
  await fc.assert(
    fc.asyncProperty(entered, async (input) => {
      const id = await enter(input);
      const views = await shown(here, id);
      expect(views['']).toMatchObject(input.opening);
      for (const name of [
        'needs',
        'goals',
        'interventions',
        'contacts',
        'referrals',
        'equipment',
        'caregivers',
      ] as const) {
        const { items } = views[name] as { items: object[] };
        // Referrals and equipment are work as well.
        if (name !== 'interventions') expect([name, items.length]).toEqual([name, input[name].length]);
        // Dates of goals that are not given, and the like, are filled in; what was given stays.
        for (const one of input[name]) expect(items).toContainEqual(expect.objectContaining(pick(one)));
      }
      const entry = (await stored(here)).map((resource) => ({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      }));
      const loaded = await there.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
      expect(loaded.status, loaded.text).toBe(200);
      expect(await shown(there, id)).toEqual(views);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

/** Members that every view shows under the name and in the form that they were entered in. */
function pick(input: object): object {
  const same = [
    'kind',
    'code',
    'severity',
    'description',
    'priority',
    'channel',
    'outcome',
    'service',
    'item',
    'relationship',
  ];
  return Object.fromEntries(Object.entries(input).filter(([name]) => same.includes(name)));
}

/** What an app may write into any resource. */
const mark = (key: string) => ({ url: `https://app.example/${key}`, valueString: key });
const CASE_TYPES: ReadonlySet<string> = new Set([
  'EpisodeOfCare',
  'CarePlan',
  'CareTeam',
  'Condition',
  'Goal',
  'Task',
  'ServiceRequest',
  'Communication',
  'Encounter',
  'DeviceRequest',
  'RelatedPerson',
  'Consent',
  'Observation',
  'Flag',
]);

it('whatever an app wrote into any resource of a case outlives the commands on all of them', async () => {
  const [input] = fc.sample(entered, { numRuns: 1, seed: 6 });
  const id = await enter(input as Entered);
  const at = `/cases/${id}`;
  const patient = `Patient/whole-${count}`;
  const mine = (await stored(here)).filter(
    (one) => CASE_TYPES.has(one.resourceType) && JSON.stringify(one).includes(`"${patient}"`),
  );
  expect(new Set(mine.map(({ resourceType }) => resourceType)).size).toBeGreaterThan(9);
  const marked = mine.map((one) => {
    const key = `${one.resourceType}-${one.id}`;
    const { extension = [], identifier = [] } = one as { extension?: object[]; identifier?: object[] };
    return {
      ...one,
      language: 'en-GB',
      extension: [...extension, mark(key)],
      ...(Array.isArray(identifier) ? { identifier: [...identifier, { system: 'urn:app', value: key }] } : {}),
      contained: [{ resourceType: 'Basic', id: 'app', code: { text: key } }],
      _language: { extension: [mark(`language-${key}`), { url: 'urn:ref', valueReference: { reference: '#app' } }] },
    } as unknown as { resourceType: string; id: string };
  });
  await here.put(...marked);

  const { items: needs } = (await shown(here, id)).needs as { items: View[] };
  const views = (await shown(here, id)) as Record<string, { items: View[] }>;
  const send = async (method: 'POST' | 'PATCH', path: string, body: object) => {
    const answer = await here.api(method, `${at}${path}`, { body });
    expect(answer.status, `${path} ${answer.text}`).toBeLessThan(300);
  };
  await send('PATCH', '', { priority: 'asap', reasons: [{ text: 'Another' }] });
  await send('PATCH', '/plan', { title: 'Another title' });
  for (const need of needs) await send('PATCH', `/needs/${need.id}`, { code: { text: 'Changed' } });
  for (const goal of views.goals?.items ?? []) {
    await send('PATCH', `/goals/${goal.id}`, { description: { text: 'Changed' } });
  }
  for (const one of views.interventions?.items.filter(({ type }) => type === 'Task') ?? []) {
    await send('PATCH', `/interventions/${one.id}`, { priority: 'stat', note: 'Changed' });
    await send('POST', `/interventions/${one.id}/cancel`, { reason: { text: 'Changed' } });
  }
  for (const one of views.caregivers?.items ?? [])
    await send('POST', `/caregivers/${one.id}/change`, { language: 'fr' });
  for (const one of views.flags?.items ?? []) await send('POST', `/flags/${one.id}/end`, {});
  await send('POST', '/handover', { to: { reference: 'Practitioner/doctor' }, note: 'Changed' });
  await send('POST', '/hold', { reason: { text: 'Changed' } });
  await send('POST', '/resume', {});
  await send('POST', '/close', { reason: { text: 'Moved' }, outcome: { text: 'Unknown' }, outstanding: 'cancel' });

  const now = new Map((await stored(here)).map((one) => [`${one.resourceType}/${one.id}`, one]));
  let changed = 0;
  for (const before of marked) {
    const after = now.get(`${before.resourceType}/${before.id}`) as unknown as Record<string, unknown>;
    if ((after.meta as { versionId: string }).versionId !== '2') changed += 1;
    const { extension, identifier, contained, language, _language } = before as unknown as Record<string, object[]>;
    expect(after, before.resourceType).toMatchObject({ contained, language, _language });
    expect(after.extension).toEqual(expect.arrayContaining([extension?.at(-1)]));
    if (identifier) expect(after.identifier).toEqual(expect.arrayContaining([identifier.at(-1)]));
  }
  expect(changed).toBeGreaterThan(8);
});
