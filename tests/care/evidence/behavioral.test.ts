// domain.md §1.2, FUH and FUM.
import type { Encounter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { behavioralEvidence } from '../../../src/care/evidence/behavioral.ts';
import type { HedisFacts } from '../../../src/care/evidence/evidence-facts.ts';
import { BEHAVIORAL } from '../../../src/care/evidence/evidence-rules.ts';
import { condition, sampleEncounter } from '../sample.ts';
import { facts, loggedVisit, stay, visit } from './evidence-sample.ts';

const depression = condition('c1', 'F33.2');
const mental = { diagnosis: [{ condition: { reference: 'Condition/c1' } }] };
const emergency = sampleEncounter({
  class: { code: 'EMER' },
  period: { start: '2026-11-20T11:00:00-05:00', end: '2026-11-20T14:00:00-05:00' },
});
const behavioral = (changes: Partial<HedisFacts> = {}) =>
  behavioralEvidence(facts({ conditions: [depression], ...changes }), BEHAVIORAL);
const rates = (changes: Partial<HedisFacts>) => behavioral(changes)?.rates.map(({ state }) => state);
const excluded = (changes: Partial<HedisFacts>) => behavioral(changes)?.excluded.map(({ code }) => code);

describe('after a stay in hospital (FUH)', () => {
  it.each([
    ['on the day of the discharge', '2026-11-20T18:00:00-05:00', ['pending', 'pending']],
    ['on day 1', '2026-11-21', ['on-time', 'on-time']],
    ['on day 7', '2026-11-27', ['on-time', 'on-time']],
    ['on day 8', '2026-11-28', ['pending', 'on-time']],
    ['on day 30', '2026-12-20', ['pending', 'on-time']],
    ['on day 31', '2026-12-21', ['pending', 'pending']],
  ])('%s', (_, start, states) => {
    expect(rates({ encounters: [visit('v', start, mental)] })).toEqual(states);
  });

  it('asks for a mental health diagnosis of the visit', () => {
    expect(rates({ encounters: [visit('v', '2026-11-23')] })).toEqual(['unproved', 'unproved']);
  });

  const nonAcute = (start: string): Encounter => ({ ...stay('n', start, '2026-12-20'), class: { code: 'NONAC' } });
  it.each([
    ['an acute stay on day 30 takes its place', { encounters: [stay('s', '2026-12-20', '2026-12-22')] }, ['extended']],
    ['on day 31 it does not', { encounters: [stay('s', '2026-12-21', '2026-12-22')] }, []],
    ['a stay that is not acute', { encounters: [nonAcute('2026-11-25')] }, ['not-acute']],
    ['six years old', { patient: { ...facts().patient, birthDate: '2020-11-15' } }, []],
    ['not yet six', { patient: { ...facts().patient, birthDate: '2020-11-16' } }, ['age']],
  ])('%s', (_, changes, codes) => {
    expect(excluded(changes)).toEqual(codes);
  });

  it('is not about other stays', () => {
    expect(behavioral({ conditions: [condition('c1', 'I50.9')] })).toBeUndefined();
  });
});

describe('after an emergency visit (FUM)', () => {
  it('a video call that a nurse logged as a visit is none', () => {
    const seenBy = (who: string) => rates({ encounter: emergency, encounters: [loggedVisit('v', '2026-11-23', who)] });
    expect(seenBy('nurse')).toEqual(['pending', 'pending']);
    expect(seenBy('doctor')).toEqual(['on-time', 'on-time']);
  });

  it.each([
    ['on the same day counts', '2026-11-20T18:00:00-05:00', ['on-time', 'on-time']],
    ['on day 7', '2026-11-27', ['on-time', 'on-time']],
    ['on day 8', '2026-11-28', ['pending', 'on-time']],
  ])('%s, whoever sees the patient', (_, start, states) => {
    expect(rates({ encounter: emergency, encounters: [visit('v', start)] })).toEqual(states);
  });

  it.each([
    ['ended in a stay', [stay('s', '2026-11-20T15:00:00-05:00', '2026-11-25')], ['admitted']],
    [
      'the second in 31 days',
      [{ ...emergency, id: 'first', period: { start: '2026-10-21', end: '2026-10-21' } }],
      ['repeated'],
    ],
    ['the first for longer', [{ ...emergency, id: 'first', period: { start: '2026-10-20', end: '2026-10-20' } }], []],
  ])('%s', (_, encounters, codes) => {
    expect(excluded({ encounter: emergency, encounters })).toEqual(codes);
  });

  it('is about self-harm wherever it stands among the diagnoses', () => {
    const conditions = [condition('c1', 'S61.5'), condition('c2', 'X78.1')];
    const both = ['c1', 'c2'].map((id, at) => ({ condition: { reference: `Condition/${id}` }, rank: at + 1 }));
    expect(behavioral({ conditions, encounter: { ...emergency, diagnosis: both } })?.measure).toBe('FUM');
    expect(behavioral({ conditions, encounter: sampleEncounter({ diagnosis: both }) })).toBeUndefined();
  });
});
