// What a nurse and a community partner do about a social need through the API meets MCC eCare Plan and Gravity SDOH Clinical
// Care as published, which it claims to. Skipped where the corpus has no packages of theirs.
import { basename } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { artifacts } from '../care/artifacts.ts';
import { type ReferWorld, referWorld, type Shown } from '../server/api/refer-world.ts';
import { careGuides, corpusFiles, readPackage } from './packages.ts';

const SNOMED = 'http://snomed.info/sct';
const FOOD = { system: SNOMED, code: '467771000124109', text: 'Help with a food pantry application' };
const HUNGER = { system: SNOMED, code: '733423003', text: 'Food insecurity' };
const CLAIMED = [
  'mccCarePlan',
  'MCCGoal',
  'MCCCaregiverConsiderationsObservation',
  'SDOHCC-Condition',
  'SDOHCC-Goal',
  'SDOHCC-ServiceRequest',
  'SDOHCC-TaskForReferralManagement',
  'SDOHCC-TaskForPatient',
  'SDOHCC-Procedure',
];

const guides = careGuides();
const canonicals = new Set(guides.flatMap((guide) => ('url' in guide ? (guide.url ?? []) : [])));
const cores = corpusFiles('igs').filter((file) => file.includes('us.core'));
let baton: ReferWorld;
const made: Resource[] = [];

describe.skipIf(guides.length === 0 || cores.length === 0)('what is done about a social need', () => {
  beforeAll(async () => {
    baton = await referWorld();
    await story();
  });
  afterAll(() => baton.close());

  test.each(cores.map((file) => [basename(file), file]))('meets the guides it claims, over %s', (_, file) => {
    const { validate } = createValidator(loadDefinitions([...artifacts, ...readPackage(file).artefacts, ...guides]));
    const claims = made.flatMap((resource) => resource.meta?.profile?.filter((url) => canonicals.has(url)) ?? []);
    expect(CLAIMED.filter((id) => !claims.some((url) => url.endsWith(`/${id}`)))).toEqual([]);
    const faults = made.flatMap((resource) =>
      validate(resource)
        .filter(({ severity }) => severity === 'error')
        .map(({ details, expression }) => `${resource.resourceType} ${expression}: ${details?.text}`),
    );
    expect(faults).toEqual([]);
  });
});

async function done(method: 'POST' | 'PATCH', path: string, body: object, as = baton.nurse): Promise<Shown> {
  const answer = await baton.api(method, path, { as, body });
  expect(answer.status, `${path} ${answer.text}`).toBeLessThan(300);
  return answer.json as unknown as Shown;
}

/** One case in which all that can claim a profile of these guides comes about, in every state it may be in. */
async function story() {
  const id = await baton.open('ada');
  const at = `/cases/${id}`;
  const need = await done('POST', `${at}/needs`, { kind: 'social-need', category: 'food-insecurity', code: HUNGER });
  await done('POST', `${at}/needs`, {
    kind: 'social-need',
    category: 'stress',
    code: { text: 'Worried about the rent' },
  });
  const goal = await done('POST', `${at}/goals`, {
    description: { text: 'Enough to eat' },
    category: 'food-insecurity',
    addresses: [{ reference: `Condition/${need.id}` }],
  });
  const service = { kind: 'community-resource', service: FOOD, sdoh: ['food-insecurity'], needs: [need.id] };
  const refer = (more: object) => done('POST', `${at}/referrals`, { ...service, goals: [goal.id], ...more });
  const to = { reference: 'Organization/pantry' };
  const fulfilled = await refer({ to, due: '2030-01-31', doNotContactPatient: true });
  const step = (task: Shown, verb: string, body: object = {}) =>
    done('POST', `/referrals/${task.id}/${verb}`, body, baton.paula);
  await step(fulfilled.task, 'accept');
  await step(fulfilled.task, 'start');
  await step(fulfilled.task, 'complete', { note: 'Food for two weeks' });
  await done('POST', `${at}/referrals/${fulfilled.id}/close`, {
    received: true,
    goal: { id: goal.id, achievement: 'achieved' },
    resolves: [need.id],
  });
  const rejected = await refer({ to });
  await step(rejected.task, 'reject', { reason: 'Outside our area' });
  const held = await refer({ to });
  await step(held.task, 'accept');
  await step(held.task, 'hold', { reason: 'The pantry moves' });
  const withdrawn = await refer({ to });
  await done('POST', `${at}/referrals/${withdrawn.id}/withdraw`, { reason: 'She moved away' });
  await refer({ service: { text: 'Words only' }, to });

  const own = await done('POST', `${at}/interventions`, { description: 'Call the pantry', owner: subjectOf('ada') });
  await done('POST', `${at}/interventions`, {
    description: 'Keep a food diary',
    owner: subjectOf('ada'),
    priority: 'asap',
  });
  await done('POST', `${at}/interventions/${own.id}/start`, {});
  await done('POST', `${at}/interventions/${own.id}/complete`, { outcome: { text: 'She called' } });
  const carer = await done('POST', `${at}/caregivers`, {
    name: { given: ['Rosa'], family: 'Diaz' },
    relationship: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'DAU', text: 'Daughter' }],
  });
  await done('POST', `${at}/caregivers/${carer.id}/strain`, { level: 'some', goals: [goal.id] });
  const all = await baton.fhir('GET', '/Patient/ada/$everything?_count=500');
  made.push(...(all.json.entry ?? []).map(({ resource }) => resource as unknown as Resource));
}

const subjectOf = (patient: string) => ({ reference: `Patient/${patient}` });
