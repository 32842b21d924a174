// Late data: what bears on a risk and arrives after the discharge.
import type { Condition, Observation, RiskAssessment } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DISCHARGED, discharged, type Hospital, heartFailure, openHospital } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
});
afterEach(() => hospital.temp.cleanup());

const renalFailure = (): Condition => ({
  ...heartFailure(),
  id: 'renal',
  code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'N18.6' }] },
});
const haemoglobin = (changes: Partial<Observation> = {}): Observation => ({
  resourceType: 'Observation',
  id: 'hb',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
  subject: { reference: 'Patient/ann' },
  effectiveDateTime: '2026-11-20T06:00:00-05:00',
  valueQuantity: { value: 98, unit: 'g/L', code: 'g/L', system: 'http://unitsofmeasure.org' },
  ...changes,
});
const codeOf = ({ method }: RiskAssessment) => method?.coding?.[0]?.code ?? '';
const risks = async () => {
  const [live] = (await hospital.episodes()).filter(({ status }) => status === 'active');
  const all = await hospital.all('RiskAssessment');
  const own = all.filter(({ identifier }) => identifier?.[0]?.value?.startsWith(`${live?.id}|`));
  return Object.fromEntries(own.map((risk) => [codeOf(risk), risk]));
};
const protocolsOf = async () =>
  (await hospital.all('CarePlan'))
    .filter(({ status }) => status === 'active')
    .map((plan) => plan.instantiatesCanonical?.[0]);

describe('a result that comes after the discharge', () => {
  it('is a new version of the risks that ask for it, once', async () => {
    await hospital.put(haemoglobin());
    await hospital.run();
    const { lace, ...other } = await risks();
    expect(lace?.meta?.versionId).toBe('1');
    expect(other['hospital-2016']).toMatchObject({ meta: { versionId: '2' } });
    expect(other['hospital-2016']?.prediction?.[0]?.rationale).toBe(
      'HOSPITAL 4 = H 1 + O 0 + S 0 + P 0 + I 1 + A 0 + L 2',
    );
    expect(other['hospital-2016']?.basis).toContainEqual({ reference: 'Observation/hb' });
    await hospital.put(haemoglobin({ note: [{ text: 'Seen' }] }));
    await hospital.run();
    expect((await risks())['hospital-2016']?.meta?.versionId).toBe('2');
    expect(await hospital.all('RiskAssessment')).toHaveLength(3);
  });

  it('counts no more when it was a mistake or is deleted', async () => {
    await hospital.put(haemoglobin());
    await hospital.run();
    await hospital.put(haemoglobin({ status: 'entered-in-error' }));
    await hospital.run();
    const points = (await risks())['hospital-2016']?.prediction?.[0]?.rationale;
    expect(points).toMatch(/^HOSPITAL 3 = H 0/);
  });

  it('of another time or kind changes nothing', async () => {
    await hospital.put(haemoglobin({ effectiveDateTime: '2026-11-21T06:00:00-05:00' }));
    await hospital.put(haemoglobin({ id: 'k', code: { coding: [{ system: 'http://loinc.org', code: '2823-3' }] } }));
    await hospital.run();
    expect((await risks())['hospital-2016']?.meta?.versionId).toBe('1');
  });
});

describe('a diagnosis that comes after the discharge', () => {
  it('replaces a plan that nobody has begun', async () => {
    await hospital.put(renalFailure());
    await hospital.run();
    expect(await protocolsOf()).toEqual([expect.stringContaining('transition-home-high-risk')]);
    expect((await risks()).lace?.prediction?.[0]?.rationale).toBe('LACE 12 = L 4 + A 3 + C 5 + E 0');
    expect(hospital.kinds()).toContain('transition-withdrawn');
  });

  it('leaves a plan that people work on, and tells them once', async () => {
    await hospital.complete('notify-pcp');
    await hospital.run();
    await hospital.put(renalFailure());
    await hospital.run();
    expect(await protocolsOf()).toEqual([expect.stringContaining('transition-home-lower-risk')]);
    const { lace } = await risks();
    expect(lace).toMatchObject({ meta: { versionId: '2' } });
    expect(lace?.prediction?.[0]?.qualitativeRisk?.coding?.[0]?.code).toBe('high');
    const told = async () =>
      (await hospital.all('CommunicationRequest')).filter(({ identifier }) =>
        identifier?.[0]?.value?.includes('|risk-'),
      );
    expect((await told()).map(({ payload }) => payload?.[0]?.contentString)).toEqual([
      'Risk changed: LACE 12, high. "Transition home, high risk" fits now.',
    ]);
    // The discharge told again does not switch the plan either.
    await hospital.put(discharged({ reasonCode: [{ text: 'Told again' }] }));
    await hospital.run();
    expect(await protocolsOf()).toEqual([expect.stringContaining('transition-home-lower-risk')]);
    expect(await told()).toHaveLength(1);
    expect(hospital.kinds().filter((kind) => kind === 'transition-risk-changed')).toHaveLength(1);
  });
});

it('a corrected admission is a new version of the risks', async () => {
  await hospital.complete('notify-pcp');
  await hospital.run();
  await hospital.put(discharged({ period: { start: '2026-11-17T08:00:00-05:00', end: DISCHARGED } }));
  await hospital.run();
  const all = await risks();
  expect(all.lace?.prediction?.[0]?.rationale).toBe('LACE 8 = L 3 + A 3 + C 2 + E 0');
  expect(all['hospital-2016']?.prediction?.[0]?.rationale).toMatch(/L 0$/);
});
