// What the clinic area of case management makes, against the US Core profiles that it claims.
import { basename } from 'node:path';
import type { Procedure, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planConference } from '../../src/care/conferences/plan-conference.ts';
import { assignEducation, deliverEducation, recordTeachBack } from '../../src/care/education/educate.ts';
import { signOffReconciliation } from '../../src/care/medications/sign-off-reconciliation.ts';
import { startReconciliation } from '../../src/care/medications/start-reconciliation.ts';
import { setMedicationList } from '../../src/care/medications/work-on-reconciliation.ts';
import { recordDirective } from '../../src/care/preferences/advance-directive.ts';
import { recordPreference } from '../../src/care/preferences/preference.ts';
import { loadProfiles } from '../../src/care/profiles.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { openWorld, type World } from '../care/clinic/world.ts';
import { corpusFiles, readPackage } from './packages.ts';

const caseId = 'c1';
let world: World;
beforeAll(async () => {
  world = await openWorld();
  await world.put({
    resourceType: 'Practitioner',
    id: 'nurse',
    qualification: [{ code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0360', code: 'RN' }] } }],
  });
  const { records } = world;
  const caller = world.caller();
  const nurse = { reference: 'Practitioner/nurse' };
  const conference = {
    title: 'Home',
    start: '2026-12-01T14:00:00Z',
    minutes: 30,
    participants: [{ actor: nurse, required: true }],
  };
  await world.run(planConference(records, caller, { caseId, body: conference }));
  const { id } = await world.run(startReconciliation(records, caller, { caseId, body: {} }));
  for (const kind of ['before-admission', 'at-discharge', 'current'] as const) {
    const body = { lines: [{ medication: { text: 'Aspirin' }, dose: { value: 81, unit: 'mg' } }] };
    await world.run(setMedicationList(records, caller, { caseId, id, kind, body }));
  }
  await world.run(signOffReconciliation(records, caller, { caseId, id, body: { note: 'Done' } }));
  for (const result of ['understood', 'refused'] as const) {
    const education = await world.run(assignEducation(records, caller, { caseId, body: { topic: 'Weighing' } }));
    await world.run(deliverEducation(records, caller, { caseId, id: education.id, body: {} }));
    await world.run(recordTeachBack(records, caller, { caseId, id: education.id, body: { result } }));
  }
  for (const kind of ['treatment', 'care-experience'] as const) {
    await world.run(recordPreference(records, caller, { caseId, body: { kind, preference: 'Quiet' } }));
  }
  const url = 'https://example.org/will.pdf';
  for (const code of ['42348-3', '75320-2', '81334-5', '64298-3', '86533-7', '92664-2', '93037-0']) {
    await world.run(recordDirective(records, caller, { caseId, body: { type: { code }, url, signed: '2025-01-01' } }));
  }
});
afterAll(() => world.close());

const packages = corpusFiles('igs').filter((file) => file.includes('us.core'));
describe.skipIf(packages.length === 0)('US Core', () => {
  test.each(packages.map((file) => [basename(file), file]))('%s holds for what is made', (name, file) => {
    const profiles = loadProfiles(new URL('../../profiles', import.meta.url).pathname);
    const validator = createValidator(loadDefinitions([...profiles, ...readPackage(file).artefacts]));
    const errors = world.made.flatMap((resource) =>
      validator
        .validate(resource)
        .flatMap(({ severity, details, expression }) =>
          severity === 'error' ? [`${resource.resourceType} ${expression?.[0]}: ${details?.text}`] : [],
        ),
    );
    expect(errors).toEqual([]);
    const claimed = new Set(world.made.flatMap((one) => one.meta?.profile ?? []));
    expect(claimed.size).toBeGreaterThan(10);
    const signOff = world.made.find(isSignOff);
    expect(signOff?.meta?.profile).toEqual(['http://hl7.org/fhir/us/core/StructureDefinition/us-core-procedure']);
    expect(name).toContain('us.core');
  });
});

function isSignOff(resource: Resource): resource is Procedure {
  return resource.resourceType === 'Procedure' && resource.code?.coding?.[0]?.code === '430193006';
}
