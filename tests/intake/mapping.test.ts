import type { Condition, Coverage, Encounter, Patient, RelatedPerson, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../src/intake/er7/message.ts';
import { checkHeader } from '../../src/intake/header.ts';
import { readAdt } from '../../src/intake/map/adt.ts';
import { startReading } from '../../src/intake/map/reading.ts';
import { edited, FACILITIES, fixture, without } from './fixture.ts';

const A01 = fixture('a01-admit');
const A03 = fixture('a03-discharge');

function read(text: string) {
  const message = parseMessage(text);
  const reading = startReading(message, checkHeader(message), FACILITIES);
  const content = readAdt(reading);
  const resources = content.drafts.map((draft) => draft.resource);
  const all = <R extends Resource>(type: R['resourceType']) =>
    resources.filter((resource): resource is R => resource.resourceType === type);
  const one = <R extends Resource>(type: R['resourceType']) => {
    const [first] = all<R>(type);
    if (!first) throw new Error(`no ${type}`);
    return first;
  };
  const resolve = (reference: string | undefined) =>
    content.drafts.find((draft) => draft.fullUrl === reference)?.resource;
  return { content, resources, all, one, resolve, remarks: reading.remarks };
}

describe('PID, PD1 and NK1', () => {
  it('become a Patient', () => {
    const patient = read(A01).one<Patient>('Patient');
    expect(patient).toMatchObject({
      active: true,
      identifier: [
        { type: { coding: [{ code: 'MR' }] }, system: 'urn:oid:2.16.840.1.113883.19.4.1', value: '7700123' },
        { type: { coding: [{ code: 'SS' }] }, system: 'http://hl7.org/fhir/sid/us-ssn', value: '900112233' },
      ],
      name: [{ use: 'official', family: 'Testmann', given: ['Ottilie', 'Maria'], prefix: ['Ms.'] }],
      gender: 'female',
      birthDate: '1948-03-07',
      address: [{ use: 'home', line: ['12 Quay Street', 'Apt 4'], city: 'Portsea', state: 'ME', postalCode: '04101' }],
      telecom: [
        { system: 'phone', use: 'home', value: '+1 207 5550123' },
        { system: 'email', use: 'home', value: 'ottilie@example.org' },
        { system: 'phone', use: 'work', value: '+1 207 5550188' },
      ],
      communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }], text: 'English' } }],
      maritalStatus: { coding: [{ code: 'W' }], text: 'Widowed' },
      multipleBirthBoolean: false,
      deceasedBoolean: false,
      contact: [{ name: { family: 'Testmann', given: ['Rupert'] }, gender: 'male' }],
      generalPractitioner: [{ display: 'Quayside Family Practice' }, { display: 'Dr. Adaeze Okafor' }],
    });
  });

  it('carry race and ethnicity as US Core has them', () => {
    const { extension = [] } = read(A01).one<Patient>('Patient');
    const by = (end: string) => extension.find(({ url }) => url.endsWith(end))?.extension;
    expect(by('us-core-race')).toEqual([
      { url: 'ombCategory', valueCoding: expect.objectContaining({ code: '2106-3', display: 'White' }) },
      { url: 'text', valueString: 'White' },
    ]);
    expect(by('us-core-ethnicity')?.[0]).toMatchObject({ valueCoding: { code: '2186-5' } });
  });

  it('make a next of kin a RelatedPerson, but not an employer', () => {
    const kin = read(A01).one<RelatedPerson>('RelatedPerson');
    expect(kin).toMatchObject({
      name: [{ family: 'Testmann', given: ['Rupert'] }],
      telecom: [{ system: 'phone', use: 'mobile' }],
      birthDate: '1975-09-12',
    });
    expect(kin.relationship?.map((one) => one.coding?.[0]?.code)).toEqual(['CHILD', 'N']);
    const employer = read(edited(A01, { 'NK1-3': 'EMR^Employer' }));
    expect(employer.all('RelatedPerson')).toEqual([]);
    expect(employer.one<Patient>('Patient').contact?.[0]?.relationship?.[0]?.coding?.[0]?.code).toBe('E');
  });

  it('prefer the medical record number, wherever it stands', () => {
    const { content } = read(edited(A01, { 'PID-3': '1^^^HARBOR^AN~2^^^HARBOR^PI~3^^^HARBOR^MR' }));
    expect(content.patientKeys).toEqual(['["https://baton.health/fhir/sid/HARBOR","3"]']);
  });

  it('name an identifier after the sending facility when it has no authority', () => {
    const { content } = read(edited(A01, { 'PID-3': '42' }));
    expect(content.patientKeys).toEqual(['["https://baton.health/fhir/sid/HARBOR","42"]']);
  });

  it('tell how a death was reported', () => {
    expect(read(edited(A01, { 'PID-29': '202611251100', 'PID-30': 'Y' })).one<Patient>('Patient')).toMatchObject({
      deceasedDateTime: '2026-11-25T11:00:00-05:00',
    });
    expect(read(edited(A01, { 'PID-30': 'Y' })).one<Patient>('Patient').deceasedBoolean).toBe(true);
  });
});

describe('PV1 and PV2', () => {
  it('become an Encounter', () => {
    const { one, resolve } = read(A01);
    const encounter = one<Encounter>('Encounter');
    expect(encounter).toMatchObject({
      status: 'in-progress',
      identifier: [
        { type: { coding: [{ code: 'VN' }] }, system: 'urn:oid:2.16.840.1.113883.19.4.2', value: 'V880001' },
      ],
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      type: [{ text: 'inpatient encounter' }],
      serviceType: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0069', code: 'MED' }] },
      period: { start: '2026-11-20T14:15:00-05:00' },
      hospitalization: { admitSource: { coding: [{ code: '7' }] } },
      reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'I50.9' }] }],
      location: [{ status: 'active', location: { display: 'MAIN 4 4EAST 412 B' } }],
      serviceProvider: { display: 'Harbor General Hospital' },
    });
    expect(encounter.period?.end).toBeUndefined();
    expect(encounter.participant?.map((one) => one.type?.[0]?.coding?.[0]?.code)).toEqual(['ATND', 'CON', 'ADM']);
    expect(resolve(encounter.subject?.reference)?.resourceType).toBe('Patient');
    expect(resolve(encounter.participant?.[0]?.individual?.reference)).toMatchObject({
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1528063542' }],
    });
    expect(resolve(encounter.serviceProvider?.reference)).toMatchObject({
      identifier: [{ system: 'https://baton.health/fhir/sid/facility', value: 'HARBOR' }],
    });
    expect(encounter.extension?.find(({ url }) => url.endsWith('plannedEndDate'))?.valueDateTime).toBe('2026-11-25');
  });

  it('chain the places a bed is in', () => {
    const { one, resolve } = read(A01);
    const names: unknown[] = [];
    let at = resolve(one<Encounter>('Encounter').location?.[0]?.location.reference);
    while (at?.resourceType === 'Location') {
      names.push([at.physicalType?.coding?.[0]?.code, at.name]);
      at = resolve(at.partOf?.reference);
    }
    expect(names).toEqual([
      ['bd', 'B'],
      ['ro', '412'],
      ['wa', '4EAST'],
      ['lvl', '4'],
      ['bu', 'MAIN'],
    ]);
  });

  it('say how and when the patient left', () => {
    const encounter = read(A03).one<Encounter>('Encounter');
    expect(encounter.status).toBe('finished');
    expect(encounter.period).toMatchObject({ start: '2026-11-20T14:15:00-05:00', end: '2026-11-25T16:00:00-05:00' });
    expect(encounter.hospitalization?.dischargeDisposition).toEqual({
      coding: [
        { system: 'http://terminology.hl7.org/CodeSystem/v2-0112', code: '06', display: 'Home with home health' },
        {
          system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus',
          code: '06',
          display: 'Discharged home under care of a home health organization',
        },
        { system: 'http://terminology.hl7.org/CodeSystem/discharge-disposition', code: 'home', display: 'Home' },
      ],
      text: 'Home with home health',
    });
  });

  it.each([
    ['3', 'snf'],
    ['20', 'exp'],
    ['07', 'aadvice'],
    ['62', 'rehab'],
    ['86', 'home'],
    ['snf', 'snf'],
    ['HOMEY', undefined],
  ])('map disposition %s to %s and keep the code', (code, category) => {
    const coding = read(edited(A03, { 'PV1-36': code })).one<Encounter>('Encounter').hospitalization
      ?.dischargeDisposition?.coding;
    expect(coding?.[0]?.code).toBe(code);
    expect(coding?.find(({ system }) => system?.endsWith('/discharge-disposition'))?.code).toBe(category);
  });

  it.each([
    ['A01', {}, 'in-progress'],
    ['A01', { 'PV1-45': '20261121' }, 'finished'],
    ['A08', {}, 'in-progress'],
    ['A08', { 'PV1-2': 'P' }, 'planned'],
    ['A08', { 'PV1-2': 'U' }, 'unknown'],
    ['A08', { 'PV1-45': '20261121' }, 'finished'],
    ['A11', { 'PV1-45': '20261121' }, 'cancelled'],
    ['A13', { 'PV1-45': '20261121', 'PV1-36': '01' }, 'in-progress'],
  ])('take the status of %s with %j as %s', (trigger, fields, status) => {
    const encounter = read(edited(A01, { 'MSH-9': `ADT^${trigger}`, ...fields })).one<Encounter>('Encounter');
    expect(encounter.status).toBe(status);
    expect(Boolean(encounter.period?.end)).toBe(status === 'finished');
    expect(encounter.hospitalization?.dischargeDisposition).toBeUndefined();
  });

  it('take the time of the event for a discharge that has none, and say so', () => {
    const { one, remarks } = read(edited(A03, { 'PV1-45': '' }));
    expect(one<Encounter>('Encounter').period?.end).toBe('2026-11-25T16:00:00-05:00');
    expect(remarks).toMatchObject([{ severity: 'W', location: 'PV1^1^45' }]);
  });

  it.each([
    [{ 'PV1-19': '', 'PV1-50': 'ALT7^^^HARBOR^VN' }, 'ALT7'],
    [{ 'PV1-19': '', 'PID-18': 'ACC9^^^HARBOR' }, 'ACC9'],
  ])('fall back to another visit id: %j', (fields, value) => {
    expect(read(edited(A01, fields)).one<Encounter>('Encounter').identifier?.[0]?.value).toBe(value);
  });

  it.each([
    ['B', 'http://terminology.hl7.org/CodeSystem/v2-0004', 'B'],
    ['', 'http://terminology.hl7.org/CodeSystem/v2-0004', 'U'],
    ['OBS', 'http://terminology.hl7.org/CodeSystem/v2-0004', 'OBS'],
  ])('keep class %j as %s|%s', (said, system, code) => {
    expect(read(edited(A01, { 'PV1-2': said })).one<Encounter>('Encounter').class).toMatchObject({ system, code });
  });
});

describe('DG1 and IN1', () => {
  it('become Conditions that the Encounter points at', () => {
    const { all, one, resolve } = read(A03);
    expect(all<Condition>('Condition').map(({ code }) => code?.coding?.[0]?.code)).toEqual(['I50.23', 'E11.9']);
    const [condition] = all<Condition>('Condition');
    expect(condition).toMatchObject({
      clinicalStatus: { coding: [{ code: 'active' }] },
      verificationStatus: { coding: [{ code: 'confirmed' }] },
      category: [{ coding: [{ code: 'encounter-diagnosis' }] }],
    });
    const diagnosis = one<Encounter>('Encounter').diagnosis ?? [];
    expect(diagnosis.map((one) => [one.use?.coding?.[0]?.code, one.rank])).toEqual([
      ['DD', 1],
      ['DD', 2],
    ]);
    expect(resolve(diagnosis[0]?.condition.reference)).toBe(condition);
    expect(resolve(condition?.encounter?.reference)?.resourceType).toBe('Encounter');
  });

  it('put the dot into ICD-10-CM and use DG1-2 when the code names no system', () => {
    const first = (fields: Record<string, string>) => read(edited(A01, fields)).all<Condition>('Condition')[0]?.code;
    expect(first({})?.coding?.[0]).toMatchObject({ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'I50.9' });
    expect(first({ 'DG1-2': 'I10', 'DG1-3': 'Z7409' })?.coding?.[0]).toEqual({
      system: 'http://hl7.org/fhir/sid/icd-10-cm',
      code: 'Z74.09',
    });
    expect(first({ 'DG1-3': '', 'DG1-4': 'Fall at home' })).toEqual({ text: 'Fall at home' });
  });

  it('give one Condition for a code that is admitting and final', () => {
    const both = A03.replace(/DG1\|2\|.*/, 'DG1|2||I50.23^^I10|||A|||||||||2');
    const { all, one } = read(both);
    expect(all<Condition>('Condition').map((row) => row.verificationStatus?.coding?.[0]?.code)).toEqual(['confirmed']);
    expect(one<Encounter>('Encounter').diagnosis?.map((row) => row.use?.coding?.[0]?.code)).toEqual(['DD', 'AD']);
  });

  it('retract what was entered in error', () => {
    const { all, one } = read(edited(A01, { 'DG1-21': 'D' }));
    expect(all<Condition>('Condition')[0]?.verificationStatus?.coding?.[0]?.code).toBe('entered-in-error');
    expect(all<Condition>('Condition')[0]?.clinicalStatus).toBeUndefined();
    expect(one<Encounter>('Encounter').diagnosis).toHaveLength(1);
  });

  it('become a Coverage with its payer', () => {
    const { one, resolve } = read(A01);
    const coverage = one<Coverage>('Coverage');
    expect(coverage).toMatchObject({
      status: 'active',
      subscriberId: '9ZZ9ZZ9ZZ99',
      relationship: { coding: [{ code: 'self' }] },
      period: { start: '2013-03-01' },
      payor: [{ display: 'Medicare' }],
    });
    expect(resolve(coverage.payor[0]?.reference)?.resourceType).toBe('Organization');
    expect(read(edited(A01, { 'IN1-3': '', 'IN1-4': '' })).all('Coverage')).toEqual([]);
  });
});

describe('what is refused', () => {
  it.each([
    ['no PID', without(A01, 'PID'), 'AE', '100', 'PID'],
    ['no PV1', without(A01, 'PV1'), 'AE', '100', 'PV1'],
    ['no patient identifier', edited(A01, { 'PID-3': '' }), 'AE', '101', 'PID^1^3'],
    ['no patient name', edited(A01, { 'PID-5': '' }), 'AE', '101', 'PID^1^5'],
    ['no visit number', edited(A01, { 'PV1-19': '' }), 'AE', '101', 'PV1^1^19'],
    ['impossible birth date', edited(A01, { 'PID-7': '19480231' }), 'AE', '102', 'PID^1^7'],
    ['impossible admission', edited(A01, { 'PV1-44': '20261120256000' }), 'AE', '102', 'PV1^1^44'],
    ['impossible diagnosis date', edited(A01, { 'DG1-5': '20261332' }), 'AE', '102', 'DG1^1^5'],
    ['impossible event time', edited(A01, { 'EVN-2': 'soon' }), 'AE', '102', 'EVN^1^2'],
    ['discharge of no day', edited(A03, { 'PV1-45': '202611' }), 'AE', '102', 'PV1^1^45'],
    ['discharge before admission', edited(A03, { 'PV1-45': '20261119' }), 'AE', '102', 'PV1^1^45'],
    ['no control id', edited(A01, { 'MSH-10': '' }), 'AE', '101', 'MSH^1^10'],
    ['no time', edited(A01, { 'MSH-7': '' }), 'AE', '101', 'MSH^1^7'],
    ['not ADT', edited(A01, { 'MSH-9': 'ORU^R01' }), 'AR', '200', 'MSH^1^9'],
    ['an event that is not read', edited(A01, { 'MSH-9': 'ADT^A20' }), 'AR', '201', 'MSH^1^9'],
    ['an unknown processing id', edited(A01, { 'MSH-11': 'Q' }), 'AR', '202', 'MSH^1^11'],
    ['version 2.2', edited(A01, { 'MSH-12': '2.2' }), 'AR', '203', 'MSH^1^12'],
    ['version 3', edited(A01, { 'MSH-12': '3.0' }), 'AR', '203', 'MSH^1^12'],
  ])('%s', (_, text, code, condition, location) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code, remark: expect.objectContaining({ condition, location }) }),
    );
  });

  it('a facility that is not configured', () => {
    const message = parseMessage(edited(A01, { 'MSH-4': 'ELSEWHERE' }));
    const only = FACILITIES.filter(({ code }) => code === 'HARBOR');
    expect(() => startReading(message, checkHeader(message), only)).toThrow(
      expect.objectContaining({
        code: 'AE',
        remark: expect.objectContaining({ condition: '103', location: 'MSH^1^4' }),
      }),
    );
  });
});
