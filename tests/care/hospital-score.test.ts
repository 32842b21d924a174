import type { Encounter, Observation, Procedure, Quantity } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { assessRisk } from '../../src/care/transition/risk-assessment.ts';
import { NO_RISK_DATA, type RiskData } from '../../src/care/transition/risk-inputs.ts';
import { loadRiskMethods, readRiskMethods, scoreRisk } from '../../src/care/transition/risk-method.ts';
import { Fault } from '../../src/fault.ts';
import { testValidate } from '../support/store-rules.ts';
import { riskMethods, riskRules } from './artifacts.ts';
import { condition, sampleContext, sampleEncounter } from './sample.ts';

const FOLDER = `${import.meta.dirname}/../../profiles/risk-methods`;
const files = ['hospital-2013', 'hospital-2016', 'hospital-simplified', 'lace'];
const all = await Promise.all(
  files.map(async (name) => (await import(`${FOLDER}/${name}.json`, { with: { type: 'json' } })).default),
);
const methodOf = (code: string) => {
  const [method] = readRiskMethods(all.map((one) => ({ ...one, use: one.code === code ? 'decides' : 'off' })));
  if (!method) throw new Error(code);
  return method;
};
const exactly = (value: number) => ({ low: value, high: value });

// domain.md §1.4, HOSPITAL: the points, and where the versions disagree.
describe('points of HOSPITAL', () => {
  it.each([
    ['hospital-2016', 'haemoglobin', 11.9, 1],
    ['hospital-2016', 'haemoglobin', 12, 0],
    ['hospital-2016', 'sodium', 134.9, 1],
    ['hospital-2016', 'sodium', 135, 0],
    ['hospital-2016', 'oncology', 1, 2],
    ['hospital-2016', 'procedure', 3, 1],
    ['hospital-2016', 'index-type', 1, 1],
    ['hospital-2016', 'length-of-stay', 4, 0],
    ['hospital-2016', 'length-of-stay', 5, 2],
    ['hospital-2013', 'admissions', 0, 0],
    ['hospital-2013', 'admissions', 1, 2],
    ['hospital-2013', 'admissions', 5, 2],
    ['hospital-2013', 'admissions', 6, 5],
    ['hospital-2016', 'admissions', 1, 0],
    ['hospital-2016', 'admissions', 2, 2],
    ['hospital-2016', 'admissions', 5, 2],
    ['hospital-2016', 'admissions', 6, 5],
    ['hospital-simplified', 'admissions', 1, 0],
    ['hospital-simplified', 'admissions', 6, 5],
    ['hospital-simplified', 'oncology', 1, 2],
  ])('%s: %s of %d counts %i', (code, component, value, points) => {
    expect(scoreRisk(methodOf(code), { [component]: exactly(value) }).points[component]).toBe(points);
  });

  it.each([
    ['hospital-2013', 13],
    ['hospital-2016', 13],
    ['hospital-simplified', 12],
    ['lace', 19],
  ])('%s has at most %i', (code, most) => {
    const method = methodOf(code);
    const sum = method.components.reduce(
      (total, { steps }) => total + Math.max(...steps.map((step) => step.points)),
      0,
    );
    expect(sum).toBe(most);
  });

  it.each([
    [4, 'low', 5.8],
    [5, 'moderate', 11.9],
    [6, 'moderate', 11.9],
    [7, 'high', 22.8],
  ])('%i is %s', (total, band, percent) => {
    const known = {
      admissions: exactly(total >= 5 ? 6 : 2),
      oncology: exactly(total === 7 || total === 4 ? 1 : 0),
      'index-type': exactly(total === 6 ? 1 : 0),
    };
    expect(scoreRisk(methodOf('hospital-2016'), known)).toMatchObject({ total, band, percent });
  });
});

const lab = (id: string, code: string, valueQuantity: Quantity, at: string, more: Partial<Observation> = {}) =>
  ({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: at,
    valueQuantity,
    ...more,
  }) as Observation;
const hb = (id: string, value: Quantity, at = '2026-11-19T06:00:00-05:00', more: Partial<Observation> = {}) =>
  lab(id, '718-7', value, at, more);
const gram = (value: number, code = 'g/dL'): Quantity => ({ value, code, system: 'http://unitsofmeasure.org' });

function hospital(data: Partial<RiskData> = {}, encounter = sampleEncounter(), method = 'hospital-2016') {
  const context = sampleContext({ encounter });
  const risk = assessRisk(context, { ...NO_RISK_DATA, ...data }, riskRules);
  const found = risk.all.find((one) => one.method.code === method);
  if (!found) throw new Error(method);
  const missing = (found.assessment.extension ?? [])
    .filter(({ url }) => url.endsWith('/risk-missing-input'))
    .map(({ valueCodeableConcept }) => valueCodeableConcept?.coding?.[0]?.code);
  return { ...found, missing, basis: found.assessment.basis?.map(({ reference }) => reference) };
}

describe('inputs of HOSPITAL', () => {
  it('take the last result of the stay', () => {
    const { score, basis } = hospital({
      results: [
        hb('early', gram(10), '2026-11-16T06:00:00-05:00'),
        hb('last', gram(13), '2026-11-20T06:00:00-05:00'),
        hb('before', gram(8), '2026-11-14T06:00:00-05:00'),
        hb('after', gram(8), '2026-11-21T06:00:00-05:00'),
        hb('wrong', gram(8), '2026-11-20T07:00:00-05:00', { status: 'entered-in-error' }),
      ],
    });
    expect(score.points.haemoglobin).toBe(0);
    expect(basis).toContain('Observation/last');
    expect(basis).not.toContain('Observation/early');
  });

  it.each([
    ['g/L', gram(119, 'g/L'), 1, false],
    ['g/L', gram(120, 'g/L'), 0, false],
    ['mmol/L', gram(7.4, 'mmol/L'), 1, false],
    ['a unit in words only', { value: 11, unit: 'g/dL' }, 1, false],
    ['below the limit of the analyser', { ...gram(7), comparator: '<' as const }, 1, false],
    ['below something above the step', { ...gram(14), comparator: '<' as const }, 0, true],
    ['above', { ...gram(18), comparator: '>' as const }, 0, false],
    ['an unknown unit', gram(11, 'mol'), 0, true],
    ['no number', { unit: 'g/dL' }, 0, true],
  ])('convert a result in %s', (_, quantity, points, unknown) => {
    const { score, missing } = hospital({ results: [hb('h', quantity)] });
    expect(score.points.haemoglobin).toBe(points);
    expect(missing.includes('haemoglobin')).toBe(unknown);
  });

  it('read sodium in meq/L', () => {
    const result = lab('na', '2951-2', gram(131, 'meq/L'), '2026-11-19');
    expect(hospital({ results: [result] }).score.points.sodium).toBe(1);
  });

  it('count earlier stays of the year before, not emergency visits, nor what led here', () => {
    const stay = (id: string, start: string, end?: string, changes: Partial<Encounter> = {}): Encounter => ({
      ...sampleEncounter({ id, period: { start, ...(end ? { end } : {}) } }),
      ...changes,
    });
    const { score, basis } = hospital({
      earlierEncounters: [
        stay('one', '2026-02-01', '2026-02-04'),
        stay('two', '2025-11-15T09:00:00-05:00', '2025-11-20'),
        stay('too-old', '2025-11-14', '2025-11-20'),
        stay('emergency', '2026-03-01', '2026-03-01', { class: { code: 'EMER' } }),
        stay('cancelled', '2026-03-01', '2026-03-02', { status: 'cancelled' }),
        stay('open', '2026-03-01'),
      ],
    });
    expect(score.points.admissions).toBe(2);
    expect(basis).toEqual(['Encounter/e1', 'Encounter/one', 'Encounter/two']);
  });

  it('know oncology by the service that discharged, and by diagnosis in the simplified score', () => {
    const serviceType = { coding: [{ system: 'http://snomed.info/sct', code: '394593009' }] };
    expect(hospital({}, sampleEncounter({ serviceType })).score.points.oncology).toBe(2);
    const cancer = sampleContext({ conditions: [condition('c9', 'C50.9'), condition('c1', 'I50.9')] });
    const simplified = assessRisk(cancer, NO_RISK_DATA, riskRules).all.find(
      ({ method }) => method.code === 'hospital-simplified',
    );
    expect(simplified?.score.points.oncology).toBe(2);
    expect(simplified?.assessment.basis?.map(({ reference }) => reference)).toEqual(['Encounter/e1', 'Condition/c9']);
  });

  it('count ICD-coded procedures of the stay', () => {
    const procedure = (id: string, system: string, performedDateTime: string): Procedure => ({
      resourceType: 'Procedure',
      id,
      status: 'completed',
      subject: { reference: 'Patient/p1' },
      code: { coding: [{ system, code: '0DTJ4ZZ' }] },
      performedDateTime,
    });
    const ICD = 'http://www.cms.gov/Medicare/Coding/ICD10';
    expect(hospital({ procedures: [procedure('p', ICD, '2026-11-17')] }).score.points.procedure).toBe(1);
    expect(hospital({ procedures: [procedure('p', ICD, '2026-11-25')] }).score.points.procedure).toBe(0);
    const other = hospital({ procedures: [procedure('p', 'http://snomed.info/sct', '2026-11-17')] });
    expect(other.score.points.procedure).toBe(0);
    expect(other.missing).toContain('procedure');
  });

  it('name what is missing, in codes and in words, and count it as zero', () => {
    const { missing, assessment, score } = hospital(
      {},
      sampleEncounter({ type: undefined, period: { end: '2026-11-20' } }),
    );
    expect(missing).toEqual(['haemoglobin', 'oncology', 'sodium', 'admission-type', 'admission-time']);
    expect(assessment.note?.[0]?.text).toBe(
      'Not known, so counted as zero: haemoglobin at discharge; discharge service; sodium at discharge; admission type; admission time.',
    );
    expect(score.total).toBe(0);
  });

  it('make valid resources', () => {
    for (const { assessment } of assessRisk(
      sampleContext(),
      { ...NO_RISK_DATA, results: [hb('h', gram(10))] },
      riskRules,
    ).all) {
      expect(testValidate(assessment).filter(({ severity }) => severity === 'error')).toEqual([]);
    }
  });
});

describe('risk methods', () => {
  it('as shipped: LACE decides, HOSPITAL of 2016 and simplified are kept beside it', () => {
    expect(loadRiskMethods(FOLDER).map(({ code }) => code)).toEqual(['lace', 'hospital-2016', 'hospital-simplified']);
    expect(riskMethods[0]?.use).toBe('decides');
  });

  const lace = all.find(({ code }) => code === 'lace');
  it.each([
    ['nobody decides', [{ ...lace, use: 'computed' }], /Exactly one risk method .* none/],
    ['two decide', all.map((one) => ({ ...one, use: 'decides' })), /Exactly one risk method/],
    ['the same code', [lace, lace], /two risk methods "lace"/],
    ['no bands', [{ ...lace, bands: [] }], /"lace": \/bands/],
    [
      'an unknown input',
      [{ ...lace, components: [{ code: 'x', letter: 'X', input: 'moon', steps: [{ from: 0, points: 0 }] }] }],
      /"lace"/,
    ],
    [
      'steps that fall',
      [
        {
          ...lace,
          components: [
            {
              ...lace.components[0],
              steps: [
                { from: 0, points: 0 },
                { from: 0, points: 1 },
              ],
            },
          ],
        },
      ],
      /length-of-stay must rise from 0/,
    ],
    [
      'steps that begin above',
      [{ ...lace, components: [{ ...lace.components[0], steps: [{ from: 1, points: 0 }] }] }],
      /must rise from 0/,
    ],
  ])('refuse a folder in which %s', (_, methods, message) => {
    expect(() => readRiskMethods(methods)).toThrow(message);
    expect(() => readRiskMethods(methods)).toThrow(Fault);
  });
});
