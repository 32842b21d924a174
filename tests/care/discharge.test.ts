import type { Encounter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { isDischarged, isInHouse } from '../../src/care/transition/discharge.ts';
import { destinationOf } from './artifacts.ts';
import { sampleEncounter } from './sample.ts';

const NUBC = 'https://www.nubc.org/CodeSystem/PatDischargeStatus';
const TABLE = 'http://terminology.hl7.org/CodeSystem/v2-0112';
const FHIR = 'http://terminology.hl7.org/CodeSystem/discharge-disposition';

const going = (...codings: [system: string, code: string][]): Encounter =>
  sampleEncounter({
    hospitalization: { dischargeDisposition: { coding: codings.map(([system, code]) => ({ system, code })) } },
  });

describe('destination', () => {
  it.each([
    [NUBC, '01', 'home'],
    [NUBC, '06', 'home-health'],
    [NUBC, '04', 'assisted-living'],
    [NUBC, '03', 'skilled-nursing'],
    [NUBC, '07', 'against-advice'],
    [NUBC, '20', 'died'],
    [NUBC, '42', 'died'],
    [NUBC, '02', 'acute-hospital'],
    [NUBC, '50', 'hospice-home'],
    [TABLE, '1', 'home'],
    [TABLE, '06', 'home-health'],
    [FHIR, 'exp', 'died'],
    [FHIR, 'snf', 'skilled-nursing'],
    [FHIR, 'oth', 'unknown'],
    ['urn:local', '01', 'unknown'],
    [NUBC, '99', 'unknown'],
  ])('%s|%s is %s', (system, code, destination) => {
    expect(destinationOf(going([system, code]))).toBe(destination);
  });

  it('is read from the finer code when there are several', () => {
    expect(destinationOf(going([FHIR, 'home'], [NUBC, '06']))).toBe('home-health');
  });

  it('is unknown when nothing is said', () => {
    expect(destinationOf(sampleEncounter({ hospitalization: undefined }))).toBe('unknown');
  });
});

describe('stays', () => {
  const of = (status: Encounter['status'], code: string) => sampleEncounter({ status, class: { code } });

  it.each([
    ['finished', 'IMP', true],
    ['finished', 'OBSENC', true],
    ['finished', 'EMER', false],
    ['finished', 'AMB', false],
    ['in-progress', 'IMP', false],
    ['cancelled', 'IMP', false],
  ] as const)('%s %s has been discharged: %s', (status, code, expected) => {
    expect(isDischarged(of(status, code))).toBe(expected);
  });

  it('are in house while they go on', () => {
    expect(isInHouse(of('in-progress', 'IMP'))).toBe(true);
    expect(isInHouse(of('onleave', 'IMP'))).toBe(true);
    expect(isInHouse(of('planned', 'IMP'))).toBe(false);
    expect(isInHouse(of('in-progress', 'EMER'))).toBe(false);
  });
});
