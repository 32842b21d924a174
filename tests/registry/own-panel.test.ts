// A panel of somebody's own: value sets, payer, an open case that keeps people off.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Extension, Group, GroupCharacteristic, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadPanels } from '../../src/care/panels/panels.ts';
import { condition, openPopulation, type Population, person } from './population.ts';

const BASE = 'https://baton.health/fhir';
const QUERY = 'application/x-fhir-query';
const SDOH = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';

const data = (name: string, expression: string): Extension => ({
  url: `${BASE}/StructureDefinition/panel-data`,
  valueExpression: { name, language: QUERY, expression },
});
const criterion = (text: string, expression: string, exclude = false): GroupCharacteristic => ({
  extension: [
    { url: `${BASE}/StructureDefinition/panel-criterion`, valueExpression: { language: 'text/fhirpath', expression } },
  ],
  code: { text },
  valueBoolean: true,
  exclude,
});

const PANEL: Group = {
  resourceType: 'Group',
  type: 'person',
  actual: false,
  name: 'Own',
  code: { coding: [{ system: `${BASE}/CodeSystem/panel`, code: 'own' }] },
  extension: [
    data('needs', `Condition?patient={{%patient.id}}&category:in=${BASE}/ValueSet/social-need-category`),
    data('payer', 'Coverage?beneficiary=Patient/{{%patient.id}}&status=active&payor=Organization/medicaid'),
    data('cases', 'EpisodeOfCare?patient={{%patient.id}}&status=active'),
  ],
  characteristic: [
    criterion('Social need', '%needs'),
    criterion('Payer', '%payer.exists()'),
    criterion('Open case', '%cases', true),
  ],
};

let folder: string;
let here: Population;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-own-panel-'));
  mkdirSync(join(folder, 'groups'));
  writeFileSync(join(folder, 'groups/own.json'), JSON.stringify(PANEL));
  here = await openPopulation();
});
afterAll(async () => {
  await here.temp.cleanup();
  rmSync(folder, { recursive: true });
});

it('takes and leaves people as its rules say', async () => {
  const registry = here.open(loadPanels(folder));
  const step = async (...resources: readonly Resource[]) => {
    await here.put(...resources);
    await registry.run();
    return here.status('own', 'ann');
  };
  const category = [{ coding: [{ system: SDOH, code: 'food-insecurity' }] }];
  const patient = { reference: 'Patient/ann' };
  await registry.run();
  expect(await step(person('ann'), condition('need', 'ann', 'Z59.41', { category }))).toBe('never');
  expect(
    await step(
      { resourceType: 'Organization', id: 'medicaid', name: 'Medicaid' },
      {
        resourceType: 'Coverage',
        id: 'plan',
        status: 'active',
        beneficiary: patient,
        payor: [{ reference: 'Organization/medicaid' }],
      },
    ),
  ).toBe('on');
  expect(
    (await here.membership('own', 'ann'))?.extension?.map(({ valueReference }) => valueReference?.reference),
  ).toEqual(['Condition/need', 'Coverage/plan']);
  expect(await step({ resourceType: 'EpisodeOfCare', id: 'case', status: 'active', patient })).toBe('off');
  expect(await step({ resourceType: 'EpisodeOfCare', id: 'case', status: 'finished', patient })).toBe('on');
});
