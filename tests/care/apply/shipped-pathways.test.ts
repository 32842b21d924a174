import type { CarePlan, EpisodeOfCare, Patient, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { stepsOf } from '../../../src/care/apply/pathway.ts';
import { createPathwayLibrary } from '../../../src/care/pathways/pathway-library.ts';
import { addToPlan, planPathway } from '../../../src/care/pathways/plan-pathway.ts';
import { testValidate } from '../../support/store-rules.ts';
import { artifacts, usFederal } from '../artifacts.ts';
import { recordsOf } from './records-in-memory.ts';

const errorsOf = (resource: Resource) =>
  testValidate(resource)
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map((issue) => `${resource.resourceType}: ${issue.details?.text} ${issue.expression}`);

const library = createPathwayLibrary(artifacts);
const now = Temporal.Instant.from('2026-11-28T15:30:12Z');
const locale = { zone: 'America/New_York', calendar: usFederal };
const caller = { who: { reference: 'Practitioner/nurse' }, now, zone: locale.zone };
const patient: Patient = { resourceType: 'Patient', id: 'p', birthDate: '1941-05-01', gender: 'female' };
const episode: EpisodeOfCare = {
  resourceType: 'EpisodeOfCare',
  id: 'case-1',
  status: 'active',
  patient: { reference: 'Patient/p' },
  careManager: { reference: 'Practitioner/nurse' },
};
const plan: CarePlan = {
  resourceType: 'CarePlan',
  id: 'plan',
  status: 'active',
  intent: 'plan',
  subject: { reference: 'Patient/p' },
};
const subject = { reference: 'Patient/p' };
const active = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] };
const condition = (id: string, system: string, code: string): Resource => ({
  resourceType: 'Condition',
  id,
  clinicalStatus: active,
  code: { coding: [{ system, code }] },
  subject,
});
const SCT = 'http://snomed.info/sct';
const RECORD: readonly Resource[] = [
  patient,
  condition('hf', SCT, '84114007'),
  condition('copd', SCT, '13645005'),
  condition('dm', SCT, '44054006'),
  condition('food', SCT, '733423003'),
  condition('frail', 'http://hl7.org/fhir/sid/icd-10-cm', 'R54'),
  { resourceType: 'RelatedPerson', id: 'daughter', patient: subject },
  {
    resourceType: 'Encounter',
    id: 'stay',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject,
    period: { start: '2026-11-15T10:00:00Z', end: '2026-11-20T10:00:00Z' },
  },
];

const names = [
  'case-start',
  'copd',
  'diabetes',
  'food-insecurity',
  'frail-elder',
  'heart-failure',
  'post-discharge-high-risk',
];

async function apply(name: string, record: readonly Resource[] = RECORD) {
  const records = recordsOf(...record);
  const definition = await library.find(name, records);
  if (!definition) throw new Error(`There is no pathway ${name}.`);
  const read = await library.read(definition, records);
  const additions = await planPathway(
    records,
    caller,
    { read, episode, patient, plan: { reference: 'CarePlan/plan' } },
    locale,
  );
  return { definition, ...additions };
}

describe('pathways that come with Baton', () => {
  it('are listed, and protocols of transitions are not among them', async () => {
    const listed = await library.list(recordsOf());
    expect(listed.map(({ id }) => id).sort()).toEqual(names);
  });

  it.each(names)('%s is valid and so is all that it makes', async (name) => {
    const { definition, changes, applied } = await apply(name);
    const fullUrls = new Set(changes.map(({ fullUrl }) => fullUrl));
    const updated = addToPlan(plan, applied, locale.zone);
    expect([definition, ...changes.map(({ resource }) => resource), updated].flatMap(errorsOf)).toEqual([]);
    expect(definition.relatedArtifact?.every(({ url, citation }) => url && citation)).toBe(true);
    // Everything the plan refers to is in the commit, and nothing else.
    const referred = [...(updated.goal ?? []), ...(updated.activity ?? []).map(({ reference }) => reference)];
    expect(new Set(referred.map((one) => one?.reference))).toEqual(fullUrls);
    for (const { resource } of changes) expect(JSON.stringify(resource)).not.toMatch(/undefined|NaN/);
  });

  it.each(names)('%s applied twice plans the same', async (name) => {
    expect((await apply(name)).changes).toEqual((await apply(name)).changes);
  });

  it.each(names.filter((name) => name !== 'case-start'))('%s is refused for whom it is not', async (name) => {
    const young: Resource = { ...patient, birthDate: '2001-01-01' };
    const attempt = apply(name, [young]);
    await expect(attempt).rejects.toMatchObject({ kind: 'unprocessable' });
  });

  it('name 40 things to do for heart failure', async () => {
    const { changes, applied } = await apply('heart-failure');
    const activities = changes.filter(({ resource }) => resource.resourceType !== 'Goal');
    expect(activities.length).toBeGreaterThanOrEqual(38);
    expect(stepsOf(applied.pathway.steps).length).toBeGreaterThan(45);
  });
});
