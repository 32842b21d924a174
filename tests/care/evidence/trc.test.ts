// domain.md §1.2, HEDIS TRC: the four rates, the episode rule, who is counted; §10: engagement on day 0, readmission on day
// 30 and 31, same-day transfer, reconciliation by an LPN.
import type { Composition, DocumentReference, Provenance } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { HedisFacts } from '../../../src/care/evidence/evidence-facts.ts';
import { TRC } from '../../../src/care/evidence/evidence-rules.ts';
import { trcEvidence } from '../../../src/care/evidence/trc.ts';
import { withEnd } from '../../../src/fhir/stand-in-end.ts';
import { contact, facts, loggedVisit, reconciliation, stay, visit } from './evidence-sample.ts';

const trc = (changes: Partial<HedisFacts> = {}) => trcEvidence(facts(changes), TRC);
const rate = (code: string, changes: Partial<HedisFacts>) => trc(changes).rates.find((one) => one.code === code);
const LOINC = 'http://loinc.org';

const told = (recorded: string): Provenance => ({
  resourceType: 'Provenance',
  id: recorded,
  target: [{ reference: 'Encounter/e1' }],
  recorded,
  agent: [{ who: { display: 'ADT' } }],
});
/** The admission was recorded on its day. */
const came = (lastUpdated: string): Provenance => ({
  ...told('2026-11-15T14:00:00Z'),
  meta: { lastUpdated },
  entity: [
    {
      role: 'source',
      what: { identifier: { system: 'https://baton.health/fhir/sid/message/RIVER%2FADT', value: '1' } },
    },
  ],
});
const summary: DocumentReference = {
  resourceType: 'DocumentReference',
  id: 'd',
  status: 'current',
  type: { coding: [{ system: LOINC, code: '18842-5' }] },
  date: '2026-11-22T23:00:00-05:00',
  content: [],
};
const composition = (sections: readonly string[]): Composition => ({
  resourceType: 'Composition',
  id: 'c',
  status: 'final',
  type: { coding: [{ system: LOINC, code: '18842-5' }] },
  date: '2026-11-21',
  author: [{ reference: 'Practitioner/doctor' }],
  title: 'Discharge summary',
  section: sections.map((code) => ({ code: { coding: [{ system: LOINC, code }] } })),
});
const ALL_SECTIONS = ['47519-4', '11535-2', '10183-2', '30954-2', '8653-8'];

describe('rates', () => {
  it.each([
    ['notification', 'on the day of admission', { provenances: [told('2026-11-15T14:00:00Z')] }, 'on-time'],
    ['notification', 'two days after', { provenances: [told('2026-11-18T04:59:00Z')] }, 'on-time'],
    ['notification', 'three days after', { provenances: [told('2026-11-18T05:01:00Z')] }, 'late'],
    ['notification', 'a message that came three days after', { provenances: [came('2026-11-18T05:01:00Z')] }, 'late'],
    ['notification', 'a message that came in time', { provenances: [came('2026-11-18T04:59:00Z')] }, 'on-time'],
    [
      'notification',
      'the first of several',
      { provenances: [told('2026-11-20T19:00:00Z'), told('2026-11-15T14:00:00Z')] },
      'on-time',
    ],
    ['discharge-information', 'two days after', { documents: [summary] }, 'on-time'],
    [
      'discharge-information',
      'three days after',
      { documents: [{ ...summary, date: '2026-11-23T00:00:00-05:00' }] },
      'late',
    ],
    [
      'discharge-information',
      'before the discharge is none',
      { documents: [{ ...summary, date: '2026-11-19' }] },
      'missed',
    ],
    ['discharge-information', 'all six elements', { documents: [composition(ALL_SECTIONS)] }, 'on-time'],
    [
      'discharge-information',
      'without instructions',
      { documents: [composition(ALL_SECTIONS.slice(0, 4))] },
      'incomplete',
    ],
    ['engagement', 'on day 0', { contacts: [contact('a', '2026-11-20T18:00:00-05:00')] }, 'pending'],
    ['engagement', 'on day 1', { contacts: [contact('a', '2026-11-21T09:00:00-05:00')] }, 'on-time'],
    ['engagement', 'on day 30', { encounters: [visit('v', '2026-12-20')] }, 'on-time'],
    ['engagement', 'on day 31', { encounters: [visit('v', '2026-12-21')] }, 'late'],
    [
      'engagement',
      'by video, logged by a doctor',
      { encounters: [loggedVisit('v', '2026-12-01', 'doctor')] },
      'on-time',
    ],
    ['engagement', 'by video, logged by a nurse', { encounters: [loggedVisit('v', '2026-12-01', 'nurse')] }, 'pending'],
    ['engagement', 'by video', { encounters: [visit('v', '2026-12-01', { class: { code: 'VR' } })] }, 'on-time'],
    ['engagement', 'voicemail', { contacts: [contact('a', '2026-11-21T09:00:00-05:00', 'left-message')] }, 'pending'],
    [
      'medication-reconciliation',
      'on the day of the discharge',
      { procedures: [reconciliation('m', '2026-11-20')] },
      'on-time',
    ],
    ['medication-reconciliation', 'on day 30', { procedures: [reconciliation('m', '2026-12-20')] }, 'on-time'],
    ['medication-reconciliation', 'on day 31', { procedures: [reconciliation('m', '2026-12-21')] }, 'late'],
    [
      'medication-reconciliation',
      'by an LPN',
      { procedures: [reconciliation('m', '2026-11-24', 'Practitioner/lpn')] },
      'unqualified',
    ],
  ] as const)('%s %s', (code, _, changes, state) => {
    expect(rate(code, changes as Partial<HedisFacts>)).toMatchObject({ state, met: state === 'on-time' });
  });

  it('say that a contact was with the caregiver', () => {
    const contacts = [contact('a', '2026-11-21T09:00:00-05:00', 'reached', { party: 'caregiver' })];
    expect(rate('engagement', { contacts })?.because).toMatch(/cannot communicate/);
  });
});

describe('the episode', () => {
  it.each([
    ['a readmission on day 30 extends it', [stay('later', '2026-12-20', '2026-12-22')], ['extended']],
    ['one on day 31 does not', [stay('later', '2026-12-21', '2026-12-22')], []],
    ['a same-day transfer extends it', [stay('later', '2026-11-20T15:00:00-05:00', '2026-11-25')], ['extended']],
    ['the patient is in again', [stay('later', '2026-12-01')], ['extended']],
    ['an emergency visit does not', [visit('later', '2026-12-01', { class: { code: 'EMER' } })], []],
    [
      'an admission that was cancelled does not',
      [{ ...stay('later', '2026-12-01', '2026-12-02'), status: 'cancelled' as const }],
      [],
    ],
  ])('%s', (_, encounters, codes) => {
    expect(trc({ encounters }).excluded.map(({ code }) => code)).toEqual(codes);
  });

  it('has the first admission and the last discharge', () => {
    const evidence = trc({ encounters: [stay('before', '2026-10-10', '2026-10-14T12:00:00-04:00')] });
    expect(evidence).toMatchObject({ eligible: true, admitted: '2026-11-15T08:00:00-05:00' });
    const chained = trc({ encounters: [stay('before', '2026-10-10', '2026-10-25T12:00:00-04:00')] });
    expect(chained).toMatchObject({
      eligible: true,
      admitted: '2026-10-10',
      discharged: '2026-11-20T14:00:00-05:00',
      stays: [{ reference: 'Encounter/before' }, { reference: 'Encounter/e1' }],
    });
  });
});

describe('a stay that is over and does not say since when', () => {
  const silent = (start: string, lastUpdated?: string) => ({
    ...stay('silent', start),
    status: 'finished' as const,
    ...(lastUpdated === undefined ? {} : { meta: { lastUpdated } }),
  });
  const ahead = { ...stay('silent', '2026-09-01', '2027-09-10'), meta: { lastUpdated: '2026-09-10T12:00:00Z' } };
  const counted = (at: string) => new Map([['silent', Temporal.Instant.from(at)]]);
  const [own, before] = ['2026-11-15T08:00:00-05:00', '2026-11-05T08:00:00-05:00'];
  it.each([
    ['as its transition counts', silent(before), counted('2026-11-10T13:00:00Z'), before],
    ['not more than 30 days before', silent('2026-09-01'), counted('2026-09-10T13:00:00Z'), own],
    ['when the next one began, told later', silent(before), counted('2026-11-18T13:00:00Z'), before],
    ['when it was told, without a transition', silent('2026-09-01', '2026-09-10T12:00:00Z'), new Map(), own],
    ['when the next one began, when nothing is known', silent(before), new Map(), before],
    ['not on a day that was far ahead', ahead, new Map(), own],
  ] as const)('%s', (_, one, known, admitted) => {
    const evidence = trc({ encounters: [one], counted: known });
    expect(evidence).toMatchObject({ admitted, discharged: '2026-11-20T14:00:00-05:00' });
    expect(evidence.notChecked.at(-1)).toMatch(/^when the patient left Encounter\/silent, .* is assumed$/);
  });

  it('was left all the same', () => {
    const evidence = trc({ encounters: [silent('2026-11-25')], counted: counted('2026-11-28T15:00:00Z') });
    expect(evidence).toMatchObject({ eligible: false, discharged: '2026-11-28T10:00:00-05:00' });
    const { encounter } = facts();
    const mine = trc({ encounter: { ...encounter, period: { start: own } } });
    expect(mine).toMatchObject({ eligible: true, discharged: '2026-11-20T14:00:00-05:00' });
    expect(mine.notChecked).toHaveLength(3);
  });
});

it('says of a stand-in that it was not told when the patient left', () => {
  const end = '2026-11-20T14:00:00-05:00';
  const period = withEnd({ start: '2026-11-15T08:00:00-05:00' }, end, true);
  const evidence = trc({ encounter: { ...facts().encounter, period } });
  expect(evidence).toMatchObject({ eligible: true, discharged: end });
  expect(evidence.notChecked.at(-1)).toBe(
    `when the patient left Encounter/${facts().encounter.id}, which was not told: ${end} is assumed`,
  );
});

describe('who is counted', () => {
  const born = (birthDate: string) => ({ patient: { ...facts().patient, birthDate } });
  it.each([
    ['18 on 31 December', born('2008-12-31'), []],
    ['17 at the end of the year', born('2009-01-01'), ['age']],
    ['discharged on 1 December', { discharge: Temporal.Instant.from('2026-12-01T19:00:00Z') }, []],
    ['discharged on 2 December', { discharge: Temporal.Instant.from('2026-12-02T19:00:00Z') }, ['out-of-year']],
    ['to hospice', { destination: 'hospice-home' }, ['hospice']],
    ['observation only', { encounter: { ...facts().encounter, class: { code: 'OBSENC' } } }, ['setting']],
  ] as const)('%s', (_, changes, codes) => {
    expect(trc(changes as Partial<HedisFacts>).excluded.map(({ code }) => code)).toEqual(codes);
  });
});
