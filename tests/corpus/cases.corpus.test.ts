// Cases opened over what others wrote: real patients of Synthea, and the published examples of US Core. What of theirs is a
// plan, a goal, a need, an order or a team shows in the case.
import { basename } from 'node:path';
import type { Bundle, Patient, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiServer, serveApi } from '../server/api/api-client.ts';
import { corpusFiles, readBundle, readPackage } from './packages.ts';

type Item = Resource & { readonly id?: string };

/** @returns the references that the views of the case show, by type */
async function shownIn(baton: ApiServer, caseId: string): Promise<Readonly<Record<string, ReadonlySet<string>>>> {
  const idsOf = async (path: string): Promise<ReadonlySet<string>> => {
    const answer = await baton.api('GET', `/cases/${caseId}/${path}`);
    expect(answer.status, answer.text.slice(0, 500)).toBe(200);
    return new Set((answer.json.items as { id: string }[]).map(({ id }) => id));
  };
  const [CarePlan, Goal, CareTeam, Condition, ServiceRequest] = await Promise.all(
    ['plans', 'goals', 'team', 'needs', 'referrals'].map(idsOf),
  );
  return { CarePlan, Goal, CareTeam, Condition, ServiceRequest } as Readonly<Record<string, ReadonlySet<string>>>;
}

async function openOver(baton: ApiServer, patient: string): Promise<string> {
  const answer = await baton.api('POST', '/cases', { body: { patient: { reference: `Patient/${patient}` } } });
  expect(answer.status, answer.text).toBe(201);
  const { id, plan, teams } = answer.json as {
    id: string;
    plan: { reference: string };
    teams: { reference: string }[];
  };
  for (const reference of [`EpisodeOfCare/${id}`, plan.reference, teams[0]?.reference ?? '']) {
    const { json } = await baton.fhir('GET', `/${reference}`);
    const checked = await baton.fhir('POST', `/${json.resourceType}/$validate`, { body: json });
    expect(checked.json.issue?.filter((issue) => (issue as { severity?: string }).severity === 'error')).toEqual([]);
  }
  return id;
}

/** Ids of what is about the patient, as the server keeps it. */
async function stored(baton: ApiServer, type: string, patient: string): Promise<string[]> {
  const answer = await baton.fhir('GET', `/${type}?patient=Patient/${patient}&_count=1000&_elements=id`);
  expect(answer.status, answer.text).toBe(200);
  return (answer.json.entry ?? []).flatMap(({ resource }) => resource?.id ?? []);
}

const files = corpusFiles('synthea');
describe.skipIf(files.length === 0)('cases over Synthea’s patients', () => {
  let baton: ApiServer;
  const seen: Record<string, number> = {};
  let dead = 0;
  beforeAll(async () => {
    baton = await serveApi();
  });
  afterAll(() => baton.close());

  test.each(files.map((file) => [basename(file), file]))('%s', async (_, file) => {
    const bundle = readBundle(file) as Bundle;
    const person = bundle.entry?.find(({ resource }) => resource?.resourceType === 'Patient')?.resource as Patient;
    const { deceasedDateTime } = person;
    // A case is opened for the living; what it shows stays when they die.
    delete person.deceasedDateTime;
    const loaded = await baton.fhir('POST', '', { body: bundle });
    expect(loaded.status, loaded.text.slice(0, 500)).toBe(200);
    const at = loaded.json.entry?.flatMap(
      ({ response }) => /Patient\/([^/]+)/.exec(response?.location ?? '')?.[1] ?? [],
    );
    const [patient = ''] = at ?? [];
    const theirs = await Promise.all(['CarePlan', 'Goal', 'CareTeam'].map((type) => stored(baton, type, patient)));
    const caseId = await openOver(baton, patient);
    if (deceasedDateTime !== undefined) {
      const { json } = await baton.fhir('GET', `/Patient/${patient}`);
      await baton.put({ ...json, resourceType: 'Patient', id: patient, deceasedDateTime });
      dead += 1;
    }
    const shown = await shownIn(baton, caseId);
    for (const [index, type] of ['CarePlan', 'Goal', 'CareTeam'].entries()) {
      for (const id of theirs[index] ?? []) expect(shown[type]).toContain(id);
      seen[type] = (seen[type] ?? 0) + (theirs[index]?.length ?? 0);
    }
    const timeline = await baton.api('GET', `/cases/${caseId}/timeline?limit=200`);
    expect(timeline.status, timeline.text.slice(0, 500)).toBe(200);
  });

  test('there were some of each', () => {
    // Synthea wrote no teams here; those of US Core are below.
    expect([seen.CarePlan, seen.Goal, dead].map((count = 0) => count > 10)).toEqual([true, true, true]);
  });
});

const TYPES = ['CarePlan', 'Goal', 'CareTeam', 'Condition', 'ServiceRequest'];
const packages = corpusFiles('igs').filter((file) => file.includes('us.core'));
describe.skipIf(packages.length === 0)('cases over the patients of US Core', () => {
  test.each(packages.map((file) => [basename(file), file]))('%s: its examples show', async (_, file) => {
    const baton = await serveApi();
    try {
      const examples = readPackage(file).examples as Item[];
      const about = examples.filter(({ resourceType }) => TYPES.includes(resourceType));
      const batch = examples.filter(({ resourceType, id }) => id && resourceType !== 'Bundle');
      const loaded = await baton.fhir('POST', '', {
        body: {
          resourceType: 'Bundle',
          type: 'batch',
          entry: batch.map((resource) => ({
            resource,
            request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
          })),
        },
      });
      expect(loaded.status, loaded.text.slice(0, 500)).toBe(200);
      const isTaken = (item: Item) => {
        const at = batch.indexOf(item);
        return /^20[01]/.test(loaded.json.entry?.[at]?.response?.status ?? '');
      };
      expect(about.filter((item) => !isTaken(item)).map(({ resourceType, id }) => `${resourceType}/${id}`)).toEqual([]);
      const byPatient = Map.groupBy(about, (one) => (one as { subject?: { reference?: string } }).subject?.reference);
      const count: Record<string, number> = {};
      for (const [reference = '', theirs] of byPatient) {
        expect(reference).toMatch(/^Patient\//);
        const shown = await shownIn(baton, await openOver(baton, reference.slice('Patient/'.length)));
        for (const { resourceType, id = '' } of theirs) {
          expect(shown[resourceType], `${resourceType}/${id}`).toContain(id);
          count[resourceType] = (count[resourceType] ?? 0) + 1;
        }
      }
      expect(Object.keys(count).sort()).toEqual([...TYPES].sort());
    } finally {
      await baton.close();
    }
  });
});
