import type { Encounter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { assessRisk } from '../../src/care/transition/risk-assessment.ts';
import { NO_RISK_DATA } from '../../src/care/transition/risk-inputs.ts';
import { type RiskMethod, scoreRisk } from '../../src/care/transition/risk-method.ts';
import { riskMethods, riskRules } from './artifacts.ts';
import { condition, sampleContext, sampleEncounter } from './sample.ts';

const lace = riskMethods.find(({ code }) => code === 'lace') as RiskMethod;
const exactly = (value: number) => ({ low: value, high: value });
const none = { 'length-of-stay': 0, acuity: 0, comorbidity: 0, emergency: 0 };

/** What the components of LACE are: nights, 1 when acute, sum of the weights, emergency visits. */
function scoreLace(input: Partial<typeof none>) {
  const known = Object.entries({ ...none, ...input }).map(([code, value]) => [code, exactly(value)]);
  return scoreRisk(lace, Object.fromEntries(known));
}

// domain.md §1.4: the points of LACE.
describe('points of LACE', () => {
  it.each([
    ['length-of-stay', 0, 0],
    ['length-of-stay', 1, 1],
    ['length-of-stay', 2, 2],
    ['length-of-stay', 3, 3],
    ['length-of-stay', 4, 4],
    ['length-of-stay', 6, 4],
    ['length-of-stay', 7, 5],
    ['length-of-stay', 13, 5],
    ['length-of-stay', 14, 7],
    ['length-of-stay', 90, 7],
    ['acuity', 1, 3],
    ['comorbidity', 1, 1],
    ['comorbidity', 3, 3],
    ['comorbidity', 4, 5],
    ['comorbidity', 9, 5],
    ['emergency', 3, 3],
    ['emergency', 4, 4],
    ['emergency', 9, 4],
  ])('%s of %i counts %i', (component, value, points) => {
    expect(scoreLace({ [component]: value }).points[component]).toBe(points);
  });

  it.each([
    [{ 'length-of-stay': 4 }, 4, 'low'],
    [{ 'length-of-stay': 7 }, 5, 'moderate'],
    [{ 'length-of-stay': 7, emergency: 4 }, 9, 'moderate'],
    [{ 'length-of-stay': 4, acuity: 1, comorbidity: 3 }, 10, 'high'],
    [{ 'length-of-stay': 20, acuity: 1, comorbidity: 6, emergency: 5 }, 19, 'high'],
  ])('%# make the total and its band', (input, total, band) => {
    expect(scoreLace(input)).toMatchObject({ total, band });
  });
});

describe('comorbidities', () => {
  const found = (...codes: string[]) =>
    riskRules.comorbidities.find(codes.map((code, n) => condition(`c${n}`, code))).found.map(({ code }) => code);

  it.each([
    ['I25.2', 'myocardial-infarction'],
    ['I214', 'myocardial-infarction'],
    ['I63.9', 'cerebrovascular-disease'],
    ['I73.9', 'peripheral-vascular-disease'],
    ['E11.9', 'diabetes'],
    ['E11.65', 'diabetes'],
    ['E11.22', 'diabetes-with-end-organ-damage'],
    ['I50.23', 'congestive-heart-failure'],
    ['J44.1', 'chronic-pulmonary-disease'],
    ['N18.30', 'mild-liver-or-renal-disease'],
    ['C50.911', 'tumour'],
    ['C18.9', 'tumour'],
    ['F03.90', 'dementia'],
    ['M32.9', 'connective-tissue-disease'],
    ['B20', 'hiv'],
    ['N18.6', 'severe-liver-or-renal-disease'],
    ['C78.7', 'metastatic-tumour'],
  ])('%s is %s', (code, comorbidity) => {
    expect(found(code)).toEqual([comorbidity]);
  });

  it.each(['I10', 'J46', 'C44.90', 'Z00.0', 'I5'])('%s is none', (code) => {
    expect(found(code)).toEqual([]);
  });

  it('count once, and the graver form alone', () => {
    expect(found('I50.1', 'I50.9')).toEqual(['congestive-heart-failure']);
    expect(found('E11.9', 'E11.22')).toEqual(['diabetes-with-end-organ-damage']);
    expect(found('C50.9', 'C79.5')).toEqual(['metastatic-tumour']);
  });

  it('are not read from what was refuted', () => {
    const refuted = { ...condition('c', 'I50.9'), verificationStatus: { coding: [{ code: 'refuted' }] } };
    expect(riskRules.comorbidities.find([refuted]).found).toEqual([]);
  });
});

describe('risk assessment', () => {
  const emergency = (id: string, start: string, end?: string): Encounter => ({
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { code: 'EMER' },
    period: { start, ...(end ? { end } : {}) },
  });

  it('scores the stay and names what it rests on', () => {
    const visits = [
      emergency('counts', '2026-08-01T10:00:00-04:00', '2026-08-01T14:00:00-04:00'),
      emergency('led-to-it', '2026-11-15T05:00:00-05:00', '2026-11-15T07:50:00-05:00'),
      emergency('too-old', '2026-05-01T10:00:00-04:00', '2026-05-01T14:00:00-04:00'),
      emergency('unending', '2026-09-01T10:00:00-04:00'),
      {
        ...emergency('cancelled', '2026-09-01T10:00:00-04:00', '2026-09-01T11:00:00-04:00'),
        status: 'cancelled' as const,
      },
    ];
    const { score, assessment } = assessRisk(
      sampleContext(),
      { ...NO_RISK_DATA, earlierEncounters: visits },
      riskRules,
    );
    expect(score.points).toEqual({ 'length-of-stay': 4, acuity: 3, comorbidity: 3, emergency: 1 });
    expect(score).toMatchObject({ total: 11, band: 'high' });
    expect(assessment.basis?.map(({ reference }) => reference)).toEqual([
      'Encounter/e1',
      'Condition/c1',
      'Condition/c2',
      'Encounter/counts',
    ]);
    expect(assessment.prediction?.[0]?.rationale).toBe('LACE 11 = L 4 + A 3 + C 3 + E 1');
    expect(assessment.note).toBeUndefined();
  });

  it('counts nights by the local day', () => {
    const encounter = sampleEncounter({
      period: { start: '2026-11-19T23:30:00-05:00', end: '2026-11-20T00:30:00-05:00' },
    });
    const anchor = { ...sampleContext().anchor, discharge: Temporal.Instant.from('2026-11-20T05:30:00Z') };
    expect(
      assessRisk(sampleContext({ encounter, anchor }), NO_RISK_DATA, riskRules).score.points['length-of-stay'],
    ).toBe(1);
  });

  it('says what it did not know', () => {
    const encounter = sampleEncounter({ type: undefined, period: { end: '2026-11-20T14:00:00-05:00' } });
    const snomed = condition('c1', '42343007', 'http://snomed.info/sct');
    const { score, assessment } = assessRisk(
      sampleContext({ encounter, conditions: [snomed] }),
      NO_RISK_DATA,
      riskRules,
    );
    expect(score.total).toBe(0);
    expect(assessment.note?.[0]?.text).toBe(
      'Not known, so counted as zero: admission time; admission type; ICD-10-CM codes of 1 conditions.',
    );
  });

  it('knows a planned admission from one it knows nothing of', () => {
    const planned = sampleEncounter({
      type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0007', code: 'C' }] }],
    });
    expect(riskRules.isAcute(planned)).toBe(false);
    expect(riskRules.isAcute(sampleEncounter())).toBe(true);
    expect(riskRules.isAcute(sampleEncounter({ type: [{ text: 'Medicine' }] }))).toBeUndefined();
  });
});
