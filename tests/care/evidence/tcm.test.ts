// domain.md §1.1, CMS transitional care management: every row of its table, and §10's cases about it.
import type { Observation, Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { EvidenceFacts } from '../../../src/care/evidence/evidence-facts.ts';
import { TCM, TRC } from '../../../src/care/evidence/evidence-rules.ts';
import { tcmEvidence } from '../../../src/care/evidence/tcm.ts';
import { withEnd } from '../../../src/fhir/stand-in-end.ts';
import { contact, facts, loggedVisit, reconciliation, stay, TCM_CODE, visit } from './evidence-sample.ts';

const tcm = (changes: Partial<EvidenceFacts> = {}) => tcmEvidence(facts(changes), TCM, TRC);
const finding = (code: string, changes: Partial<EvidenceFacts>) =>
  tcm(changes).findings.find((one) => one.code === code);
const later = (text: string) => ({ now: Temporal.Instant.from(text) });
const decision = (code: string): Observation => ({
  resourceType: 'Observation',
  id: 'mdm',
  status: 'final',
  code: { coding: [{ system: 'https://baton.health/fhir/CodeSystem/evidence-part', code: 'medical-decision-making' }] },
  effectiveDateTime: '2026-11-25T10:00:00-05:00',
  valueCodeableConcept: { coding: [{ system: 'https://baton.health/fhir/CodeSystem/evidence-part', code }] },
});
const followUp = (code: string, changes: Partial<Task> = {}): Task => ({
  resourceType: 'Task',
  id: 'task',
  status: 'completed',
  intent: 'order',
  code: { coding: [{ system: 'https://baton.health/fhir/CodeSystem/follow-up-step', code }] },
  owner: { reference: 'Practitioner/nurse' },
  executionPeriod: { end: '2026-11-23T11:00:00-05:00' },
  ...changes,
});

describe('when the patient left', () => {
  const end = '2026-11-20T14:00:00-05:00';
  const start = '2026-11-15T08:00:00-05:00';
  it.each([
    ['was told', { start, end }, []],
    ['was not told', { start }, [end]],
    ['is when it was recorded', withEnd({ start }, end, true), [end]],
    ['was told as a day far ahead', { start, end: '2026-12-24' }, [end]],
  ] as const)('%s', (_, period, assumed) => {
    const { encounter } = facts();
    const said = (time: string) =>
      `when the patient left Encounter/${encounter.id}, which was not told: ${time} is assumed`;
    expect(tcm({ encounter: { ...encounter, period } }).notChecked).toEqual(assumed.map(said));
    expect(tcm({ encounter: { ...encounter, status: 'in-progress', period: { start } } }).notChecked).toEqual([]);
  });
});

describe('the interactive contact', () => {
  const reached = '2026-11-23T10:00:00-05:00';
  it.each([
    ['reached on the first business day', [contact('a', reached)], 'on-time', true],
    ['the caregiver counts', [contact('a', reached, 'reached', { party: 'caregiver' })], 'on-time', true],
    ['face to face counts', [contact('a', reached, 'reached', { channel: 'in-person' })], 'on-time', true],
    [
      'a portal message is not interactive',
      [contact('a', reached, 'reached', { channel: 'portal' })],
      'attempted',
      false,
    ],
    ['with another provider it is none', [contact('a', reached, 'reached', { party: 'provider' })], 'pending', false],
    ['before the discharge does not count', [contact('a', '2026-11-20T10:00:00-05:00')], 'pending', false],
    ['on the day of the discharge, after it, counts', [contact('a', '2026-11-20T17:00:00-05:00')], 'on-time', true],
    ['by a machine does not count', [contact('a', reached, 'reached', { by: 'Device/bot' })], 'pending', false],
    ['the last moment of Tuesday', [contact('a', '2026-11-24T23:59:59-05:00')], 'on-time', true],
    ['Wednesday is late', [contact('a', '2026-11-25T00:00:00-05:00')], 'late', false],
    ['one attempt', [contact('a', reached, 'no-answer')], 'attempted', false],
    [
      'voicemail twice is credited',
      [contact('a', reached, 'left-message'), contact('b', '2026-11-24T09:00:00-05:00', 'left-message')],
      'credited',
      true,
    ],
    [
      'twice within minutes is one attempt',
      [contact('a', reached, 'no-answer'), contact('b', '2026-11-23T10:05:00-05:00', 'no-answer')],
      'attempted',
      false,
    ],
    [
      'the second attempt after the two days is not timely',
      [contact('a', reached, 'no-answer'), contact('b', '2026-11-25T10:00:00-05:00', 'no-answer')],
      'attempted',
      false,
    ],
    [
      'two attempts, then reached late',
      [
        contact('a', reached, 'no-answer'),
        contact('b', '2026-11-24T09:00:00-05:00', 'no-answer'),
        contact('c', '2026-11-30T09:00:00-05:00'),
      ],
      'credited',
      true,
    ],
    [
      'a letter is no attempt',
      [
        contact('a', reached, 'no-answer'),
        contact('b', '2026-11-24T09:00:00-05:00', 'no-answer', { channel: 'letter' }),
      ],
      'attempted',
      false,
    ],
  ] as const)('%s', (_, contacts, state, met) => {
    expect(finding('contact', { contacts })).toMatchObject({ state, met, due: '2026-11-24T23:59:59-05:00' });
  });

  it('names what shows it and who did it', () => {
    expect(finding('contact', { contacts: [contact('a', reached)] })).toMatchObject({
      when: reached,
      by: { reference: 'Practitioner/nurse' },
      proof: [{ reference: 'Communication/a' }],
    });
  });

  it('is missed when the two days are over', () => {
    expect(finding('contact', later('2026-11-25T05:00:00Z'))?.state).toBe('missed');
    expect(finding('contact', later('2026-11-25T04:59:59Z'))?.state).toBe('pending');
  });

  it('is no message of the team, though the patient is among its recipients', () => {
    const category = [
      { coding: [{ system: 'https://baton.health/fhir/CodeSystem/case-service-kind', code: 'team-message' }] },
    ];
    const written = ['a', 'b'].map((id, at) => ({ ...contact(id, `2026-11-23T1${at * 3}:00:00-05:00`), category }));
    expect(finding('contact', { contacts: written })).toMatchObject({ state: 'pending', proof: [] });
  });

  it('is shown by a follow-up that was completed elsewhere', () => {
    const tasks = [followUp('interactive-contact')];
    expect(finding('contact', { tasks })).toMatchObject({ state: 'on-time', proof: [{ reference: 'Task/task' }] });
  });

  it('ends on Wednesday after a Friday before Labor Day', () => {
    const changes = { discharge: Temporal.Instant.from('2026-09-04T18:00:00Z') };
    expect(finding('contact', changes)?.due).toBe('2026-09-09T23:59:59-04:00');
  });
});

describe('the visit', () => {
  it.each([
    ['on the day of the discharge does not count', [visit('v', '2026-11-20T17:00:00-05:00')], 'pending', false],
    ['day 7', [visit('v', '2026-11-27T09:00:00-05:00')], 'within-7', true],
    ['day 8', [visit('v', '2026-11-28T09:00:00-05:00')], 'within-14', true],
    ['day 14', [visit('v', '2026-12-04T23:00:00-05:00')], 'within-14', true],
    ['day 15', [visit('v', '2026-12-05T00:10:00-05:00')], 'late', false],
    ['by telehealth', [visit('v', '2026-11-25', { class: { code: 'VR' } })], 'within-7', true],
    ['logged here by a doctor', [loggedVisit('v', '2026-11-25', 'doctor')], 'within-7', true],
    ['logged here by a nurse is none', [loggedVisit('v', '2026-11-25', 'nurse')], 'pending', false],
    ['logged here by nobody known is none', [loggedVisit('v', '2026-11-25', 'stranger')], 'pending', false],
    ['at home', [visit('v', '2026-11-25', { class: { code: 'HH' } })], 'within-7', true],
    ['to an emergency department is none', [visit('v', '2026-11-25', { class: { code: 'EMER' } })], 'pending', false],
    ['cancelled', [visit('v', '2026-11-25', { status: 'cancelled' })], 'pending', false],
    [
      'by a nurse is not by whoever bills',
      [visit('v', '2026-11-25', { participant: [{ individual: { reference: 'Practitioner/nurse' } }] })],
      'unqualified',
      false,
    ],
    ['by nobody known', [visit('v', '2026-11-25', { participant: [] })], 'unproved', false],
    [
      'a nurse first, the doctor later',
      [
        visit('n', '2026-11-24', { participant: [{ individual: { reference: 'Practitioner/nurse' } }] }),
        visit('v', '2026-11-30'),
      ],
      'within-14',
      true,
    ],
  ] as const)('%s', (_, encounters, state, met) => {
    expect(finding('visit', { encounters })).toMatchObject({ state, met, due: '2026-12-04' });
  });

  it('is booked', () => {
    const appointments = [
      {
        resourceType: 'Appointment' as const,
        id: 'a',
        status: 'booked' as const,
        start: '2026-11-26T10:00:00-05:00',
        participant: [],
      },
    ];
    expect(finding('visit', { appointments })).toMatchObject({ state: 'booked', met: false });
  });

  it('is missed after day 14', () => {
    expect(finding('visit', later('2026-12-05T05:00:00Z'))?.state).toBe('missed');
  });
});

describe('the medication reconciliation', () => {
  const on25 = visit('v', '2026-11-25T09:00:00-05:00');
  it.each([
    ['a day before the visit', [reconciliation('m', '2026-11-24T09:00:00-05:00')], [on25], 'on-time', true],
    ['on the day of the visit', [reconciliation('m', '2026-11-25T18:00:00-05:00')], [on25], 'on-time', true],
    ['a date only', [reconciliation('m', '2026-11-25')], [on25], 'on-time', true],
    ['after the visit', [reconciliation('m', '2026-11-26')], [on25], 'late', false],
    ['no visit yet', [reconciliation('m', '2026-11-26')], [], 'on-time', true],
    ['by a pharmacist', [reconciliation('m', '2026-11-24', 'Practitioner/pharmacist')], [on25], 'on-time', true],
    [
      'by an LPN without sign-off',
      [reconciliation('m', '2026-11-24', 'Practitioner/lpn')],
      [on25],
      'unqualified',
      false,
    ],
    ['by nobody named', [reconciliation('m', '2026-11-24', '')], [on25], 'unqualified', false],
    [
      'by an LPN, signed off by a nurse',
      [reconciliation('l', '2026-11-23', 'Practitioner/lpn'), reconciliation('m', '2026-11-24')],
      [on25],
      'on-time',
      true,
    ],
    ['before the discharge', [reconciliation('m', '2026-11-19')], [on25], 'pending', false],
  ] as const)('%s', (_, procedures, encounters, state, met) => {
    expect(finding('medication-reconciliation', { procedures, encounters })).toMatchObject({ state, met });
  });
});

const done: Partial<EvidenceFacts> = {
  contacts: [contact('a', '2026-11-23T10:00:00-05:00')],
  procedures: [reconciliation('m', '2026-11-24')],
  encounters: [visit('v', '2026-11-25T09:00:00-05:00')],
  observations: [decision('high')],
  ...later('2026-11-26T15:00:00Z'),
};

describe('what can be reported', () => {
  it('is ready on the day of the visit, without waiting for day 30', () => {
    expect(tcm(done)).toMatchObject({
      status: 'ready',
      code: '99496',
      dateOfService: '2026-11-25',
      periodStart: '2026-11-20',
      periodEnd: '2026-12-19',
      impossible: [],
      waitingFor: [],
    });
  });

  it.each([
    ['high decision making on day 8', { encounters: [visit('v', '2026-11-28')] }, 'ready', '99495'],
    ['moderate on day 5', { observations: [decision('moderate')] }, 'ready', '99495'],
    ['low', { observations: [decision('low')] }, 'impossible', undefined],
    ['decision making not recorded', { observations: [] }, 'waiting', undefined],
    [
      'the visit is coded',
      { observations: [], encounters: [visit('v', '2026-11-25', { type: [TCM_CODE('99495')] })] },
      'reported',
      '99495',
    ],
    ['no visit yet', { encounters: [] }, 'waiting', undefined],
    ['contact late', { contacts: [contact('a', '2026-11-25T10:00:00-05:00')] }, 'impossible', undefined],
  ])('%s', (_, changes, status, code) => {
    const evidence = tcm({ ...done, ...changes });
    expect(evidence.status).toBe(status);
    expect(evidence.code).toBe(code);
  });

  const from = (code: string) => ({ encounter: { ...facts().encounter, class: { code } } });
  it.each([
    ['inpatient', from('IMP'), undefined],
    ['non-acute inpatient (rehabilitation, SNF)', from('NONAC'), undefined],
    ['observation', from('OBSENC'), undefined],
    ['partial hospitalization', from('partial-hospitalization'), undefined],
    ['emergency department', from('EMER'), 'setting'],
    ['ambulatory', from('AMB'), 'setting'],
    ['to home with home health', { destination: 'home-health' }, undefined],
    ['to assisted living', { destination: 'assisted-living' }, undefined],
    ['to a skilled nursing facility', { destination: 'skilled-nursing' }, 'destination'],
    ['to rehabilitation', { destination: 'rehabilitation' }, 'destination'],
    ['to hospice', { destination: 'hospice-home' }, 'destination'],
    ['died on day 29', { patient: { ...facts().patient, deceasedDateTime: '2026-12-19' } }, 'died'],
    ['died on day 30', { patient: { ...facts().patient, deceasedDateTime: '2026-12-20' } }, undefined],
    ['died, nobody knows when', { patient: { ...facts().patient, deceasedBoolean: true } }, 'died'],
    [
      'reported for a discharge 20 days before',
      { encounters: [...(done.encounters ?? []), visit('old', '2026-11-05', { type: [TCM_CODE('99495')] })] },
      'reported-before',
    ],
    [
      'reported for a discharge 40 days before',
      { encounters: [...(done.encounters ?? []), visit('old', '2026-10-11', { type: [TCM_CODE('99495')] })] },
      undefined,
    ],
    [
      'readmitted meanwhile: once still',
      { encounters: [...(done.encounters ?? []), stay('again', '2026-12-01', '2026-12-03')] },
      undefined,
    ],
  ] as const)('%s', (_, changes, code) => {
    const { impossible, status } = tcm({ ...done, ...(changes as Partial<EvidenceFacts>) });
    expect(impossible.map((reason) => reason.code)).toEqual(code === undefined ? [] : [code]);
    expect(status).toBe(code === undefined ? 'ready' : 'impossible');
  });

  it('waits for whoever knows where the patient went', () => {
    expect(tcm({ ...done, destination: 'unknown' }).waitingFor.map(({ code }) => code)).toEqual([
      'destination-unclear',
    ]);
  });
});
