// The simulated Epic and Oracle Health against the CapabilityStatements of the real ones: what ours offers, theirs offers;
// what theirs offers, ours does, or the list here says that it does not.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { SIMULATED } from '../../src/sandbox/ehr/vendors/presets.ts';
import { EHR_TYPES } from '../../src/sandbox/ehr/vocabulary.ts';
import { corpusFiles } from './packages.ts';

const FILES = { epic: 'epic-r4.json', oracle: 'oracle-health-r4.json' } as const;

/** Parameters of the vendors' own, or of later versions of FHIR, that R4 has no definition for. */
const NOT_SIMULATED = {
  epic: [
    'Appointment?onlyscannable',
    'Consent?subject',
    'DocumentReference?_lastupdated',
    'DocumentReference?docstatus',
    'Encounter?onlyscannable',
    'Flag?category',
    'Flag?status',
    'Observation?issued',
    'Patient?doc-type',
    'Patient?legal-sex',
    'Patient?own-name',
    'Patient?own-prefix',
    'Patient?partner-name',
    'Patient?partner-prefix',
    'ServiceRequest?onlyscannable',
  ],
  oracle: [
    'Appointment?-date-or-req-period',
    'Communication?-email-status',
    'Consent?actor.identifier',
    'Consent?patient.identifier',
    'Coverage?-encounter',
    'Location?-physicalType',
    'MedicationRequest?-timing-boundsPeriod',
    'RelatedPerson?-encounter',
    'RelatedPerson?-relationship-level',
  ],
} as const;

const files = corpusFiles('capability');
const words = (text: string) => text.split(' ').filter(Boolean);

describe.each(['epic', 'oracle'] as const)('%s', (vendor) => {
  const file = files.find((path) => basename(path) === FILES[vendor]);

  test.skipIf(file === undefined)('offers what the real one offers', () => {
    const statement = JSON.parse(readFileSync(file ?? '', 'utf8')) as CapabilityStatement;
    const [rest] = statement.rest ?? [];
    const real = (rest?.resource ?? [])
      .filter(({ type }) => EHR_TYPES.has(type))
      .flatMap(({ type, interaction = [], searchParam = [] }) => [
        ...interaction.map(({ code }) => `${type}.${code?.replace('search-type', 'search')}`),
        ...searchParam.map(({ name }) => `${type}?${name}`).filter((name) => !name.endsWith('?_count')),
      ]);
    const ours = Object.entries(SIMULATED[vendor].types).flatMap(([type, { can, search }]) => [
      ...words(can).map((ability) => `${type}.${ability}`),
      ...words(search).map((name) => `${type}?${name}`),
    ]);
    expect(ours.filter((each) => !real.includes(each))).toEqual([]);
    expect(real.filter((each) => !ours.includes(each)).sort()).toEqual([...NOT_SIMULATED[vendor]]);
    const system = (rest?.interaction ?? []).map(({ code }) => code);
    expect(SIMULATED[vendor].systemAbilities).toEqual(system);
  });

  test.skipIf(file === undefined)('promises no more about versions and conditions', () => {
    const statement = JSON.parse(readFileSync(file ?? '', 'utf8')) as CapabilityStatement;
    const [rest] = statement.rest ?? [];
    for (const resource of rest?.resource ?? []) {
      expect([resource.conditionalCreate ?? false, resource.updateCreate ?? false]).toEqual([false, false]);
    }
    expect(SIMULATED[vendor].conditional).toBe(false);
    expect(statement.fhirVersion).toBe('4.0.1');
    expect(statement.patchFormat ?? []).toEqual(SIMULATED[vendor].patchFormats);
    if (vendor === 'epic') expect(statement.software).toMatchObject(SIMULATED.epic.software ?? {});
  });
});
