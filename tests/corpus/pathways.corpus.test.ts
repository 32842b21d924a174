// What pathways and transitions put into a record meets US Core as published, and says so; MCC and Gravity as well where the
// corpus has them.
import { basename } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { artifacts } from '../care/artifacts.ts';
import { type ApiServer, serveApi } from '../server/api/api-client.ts';
import { discharged, HIGH_RISK, openHospital } from '../transitions/hospital.ts';
import { careGuides, corpusFiles, readPackage } from './packages.ts';

const NOT_OURS = new Set(['Patient', 'Practitioner', 'Organization', 'Condition', 'Encounter', 'RelatedPerson']);
const PATHWAYS = {
  'case-start': 'Z71.9',
  'heart-failure': 'I50.9',
  copd: 'J44.9',
  diabetes: 'E11.9',
  'food-insecurity': 'Z59.41',
  'frail-elder': 'R54',
  'post-discharge-high-risk': 'I50.9',
};
/** Types that have a profile of US Core. */
const CLAIMED = new Set(['CarePlan', 'CareTeam', 'Goal', 'ServiceRequest']);

const made: Resource[] = [];
let baton: ApiServer;
beforeAll(async () => {
  baton = await serveApi();
  await baton.put({ resourceType: 'Practitioner', id: 'rn', name: [{ family: 'Nurse' }] });
  for (const [pathway, code] of Object.entries(PATHWAYS)) {
    const patient = { reference: `Patient/p-${pathway}` };
    await baton.put(
      { resourceType: 'Patient', id: `p-${pathway}`, name: [{ family: 'Example' }], birthDate: '1940-01-01' },
      {
        ...{ resourceType: 'Condition', id: `c-${pathway}`, subject: patient },
        clinicalStatus: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
        },
        code: {
          coding: [
            { system: 'http://hl7.org/fhir/sid/icd-10-cm', code },
            { system: 'http://snomed.info/sct', code: '733423003' },
          ],
        },
      },
    );
    if (pathway === 'post-discharge-high-risk') {
      const { now } = baton.temp.clock;
      await baton.put({
        ...{ resourceType: 'Encounter', id: 'stay', status: 'finished', subject: patient },
        class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
        period: { start: `${now().subtract({ hours: 96 })}`, end: `${now().subtract({ hours: 24 })}` },
      });
    }
    const careManager = { reference: 'Practitioner/rn' };
    const body = { patient, programme: { text: pathway }, careManager, pathway: { pathway } };
    const opened = await baton.api('POST', '/cases', { body });
    expect(opened.status, opened.text).toBe(201);
    const { json } = await baton.fhir('GET', `/Patient/p-${pathway}/$everything?_count=500`);
    made.push(...(json.entry ?? []).map(({ resource }) => resource as unknown as Resource));
  }
  const hospital = await openHospital(undefined, { shipped: true });
  await hospital.put(discharged(HIGH_RISK));
  await hospital.run();
  for (const type of ['EpisodeOfCare', 'CarePlan', 'CareTeam', 'Goal', 'Task', 'ServiceRequest'] as const) {
    made.push(...(await hospital.all(type)));
  }
  await hospital.temp.cleanup();
}, 120_000);
afterAll(() => baton.close());

const packages = corpusFiles('igs').filter((file) => file.includes('us.core'));
const guides = careGuides();
const canonicals = new Set(guides.flatMap((guide) => ('url' in guide ? (guide.url ?? []) : [])));
describe.skipIf(packages.length === 0)('what is planned', () => {
  test.each(packages.map((file) => [basename(file), file]))('meets %s', (_, file) => {
    const { validate } = createValidator(loadDefinitions([...artifacts, ...readPackage(file).artefacts, ...guides]));
    const ours = made.filter(({ resourceType }) => !NOT_OURS.has(resourceType));
    expect(ours.filter(({ resourceType }) => resourceType === 'Goal').length).toBeGreaterThan(10);
    for (const resource of ours) {
      const claims = resource.meta?.profile ?? [];
      const claimed = claims.filter((url) => url.includes('/us/core/') || canonicals.has(url));
      if (CLAIMED.has(resource.resourceType)) expect(claimed, resource.resourceType).not.toEqual([]);
      const faults = validate(resource).filter(
        ({ severity, details }) =>
          severity === 'error' || claimed.some((url) => details?.text?.includes(`${url} could not be`)),
      );
      expect(faults, JSON.stringify(resource).slice(0, 600)).toEqual([]);
    }
  });
});
