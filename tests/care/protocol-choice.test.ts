// Who gets which protocol of those that come with Baton, one row for each case; the last column says whose rule it is.
import type { DeviceRequest, DiagnosticReport, Encounter } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { ofType } from '../../src/care/profiles.ts';
import { createPayerReader } from '../../src/care/transition/payer.ts';
import { chooseProtocol, type Protocol, readProtocols } from '../../src/care/transition/protocol.ts';
import { assessRisk, riskFacts } from '../../src/care/transition/risk-assessment.ts';
import { NO_RISK_DATA } from '../../src/care/transition/risk-inputs.ts';
import type { TransitionContext } from '../../src/care/transition/transition-context.ts';
import { artifacts, protocols, riskRules } from './artifacts.ts';
import { condition, sampleContext, sampleEncounter } from './sample.ts';

interface Discharge {
  readonly to: string;
  readonly of?: string;
  readonly lace?: number;
  readonly payer?: string;
  readonly born?: string;
  readonly diagnosis?: string;
  readonly others?: readonly string[];
}

function contextOf({ to, of = 'IMP', payer, born, diagnosis = 'I50.9', others = [] }: Discharge): TransitionContext {
  const kind: Encounter['class'] = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: of };
  return sampleContext({
    destination: to,
    payers: payer ? [payer] : [],
    encounter: sampleEncounter({ class: kind }),
    patient: { resourceType: 'Patient', id: 'p1', ...(born ? { birthDate: born } : {}) },
    conditions: [condition('c1', diagnosis), ...others.map((code, at) => condition(`o${at}`, code))],
  });
}

function chosenFor(discharge: Discharge, among: readonly Protocol[] = protocols) {
  const context = contextOf(discharge);
  const { lace = 5 } = discharge;
  const band = lace >= 10 ? ('high' as const) : ('low' as const);
  const facts = { ...riskFacts(assessRisk(context, NO_RISK_DATA, riskRules)), lace, score: lace, band };
  const protocol = chooseProtocol(among, context, facts);
  return { protocol, steps: protocol?.steps.filter((step) => step.applies(context, facts)).map(({ id }) => id) };
}

const rows: [Discharge, string | undefined, string][] = [
  [{ to: 'home', lace: 10 }, 'home-high-risk', '§1.1 99496; §1.4 LACE ≥10'],
  [{ to: 'home', lace: 9 }, 'home-lower-risk', '§1.1 99495'],
  [{ to: 'home-health', lace: 19, payer: 'medicare' }, 'home-high-risk', '§1.1 discharged to home'],
  [{ to: 'assisted-living', lace: 0, payer: 'medicare' }, 'home-lower-risk', '§1.1 assisted living'],
  [{ to: 'home', of: 'ACUTE', lace: 12, payer: 'medicare' }, 'home-high-risk', '§1.1 inpatient acute'],
  [{ to: 'home', lace: 12, payer: 'commercial' }, 'coaching', '§1.3 Coleman CTI'],
  [{ to: 'home', lace: 12, payer: 'medicaid' }, 'coaching', '§1.3 Coleman CTI'],
  [{ to: 'home-health', lace: 3, payer: 'commercial' }, 're-engineered-discharge', '§1.3 Project RED'],
  [{ to: 'home', lace: 3, payer: 'self-pay' }, 're-engineered-discharge', '§1.3 Project RED'],
  [
    { to: 'skilled-nursing', lace: 15, payer: 'medicare' },
    'to-nursing-facility',
    '§1.1 SNF does not qualify; §1.3 CTI',
  ],
  [{ to: 'skilled-nursing', of: 'NONAC' }, 'to-nursing-facility', '§1.1'],
  [{ to: 'home', of: 'NONAC', lace: 3 }, 'from-nursing-facility', '§1.1 discharged from SNF'],
  [{ to: 'home-health', of: 'NONAC', payer: 'commercial' }, 'from-nursing-facility', '§1.1'],
  [{ to: 'home', of: 'OBSENC', lace: 3 }, 'observation', '§1.1 hospital outpatient observation'],
  [{ to: 'home', of: 'OBSENC', lace: 11, payer: 'medicare' }, 'home-high-risk', '§1.1'],
  [{ to: 'home', of: 'partial-hospitalization', lace: 3 }, 'observation', '§1.1 partial hospitalisation'],
  [{ to: 'home', diagnosis: 'F32.9', born: '1980-01-01' }, 'behavioral-health', '§1.2 FUH'],
  [{ to: 'home', diagnosis: 'F20.0', born: '2020-11-20' }, 'behavioral-health', '§1.2 FUH age ≥6, on the birthday'],
  [{ to: 'home', diagnosis: 'F20.0', born: '2020-11-21' }, 'home-lower-risk', '§1.2 FUH age ≥6, a day short'],
  [{ to: 'home', diagnosis: 'X78.1' }, 'behavioral-health', '§1.2 FUH self-harm'],
  [{ to: 'home', others: ['F32.9'] }, 'home-lower-risk', '§1.2 FUH principal diagnosis only'],
  [{ to: 'skilled-nursing', diagnosis: 'F32.9' }, 'to-nursing-facility', '§1.2 FUH excludes non-acute transfer'],
  [{ to: 'home', of: 'EMER', diagnosis: 'F41.1' }, 'emergency-mental-health', '§1.2 FUM'],
  [{ to: 'home', of: 'EMER', diagnosis: 'R45.88' }, 'emergency-mental-health', '§1.2 FUM self-harm'],
  [{ to: 'home', of: 'EMER', others: ['J44.9'], born: '1950-01-01' }, 'emergency-chronic', '§1.2 FMC'],
  [{ to: 'home', of: 'EMER', born: '1950-01-01' }, undefined, '§1.2 FMC one condition only'],
  [{ to: 'home', of: 'EMER', others: ['J44.9'], born: '2010-01-01' }, undefined, '§1.2 FMC adults'],
  [{ to: 'acute-hospital', of: 'EMER', diagnosis: 'F41.1' }, undefined, '§1.2 FUM ending in inpatient stay'],
  [{ to: 'hospice-home', lace: 12 }, 'hospice', '§1.2 hospice excluded from TRC'],
  [{ to: 'hospice-facility' }, 'hospice', '§1.2'],
  [{ to: 'against-advice', lace: 3 }, 'against-advice', 'issue 7 point 3'],
  [{ to: 'died', lace: 12 }, undefined, '§1.1 death; condolences are not in use'],
  [{ to: 'acute-hospital', lace: 12 }, undefined, '§1.2 TRC direct transfer'],
  [{ to: 'rehabilitation' }, 'review', '§1.1: a person decides'],
  [{ to: 'long-term-care' }, 'review', '§1.1: a person decides'],
  [{ to: 'psychiatric' }, 'review', '§1.1: a person decides'],
  [{ to: 'unknown', lace: 12 }, 'review', '§10 disposition unknown'],
];

describe('the protocol of a discharge', () => {
  it.each(rows)('%j: %s (domain.md %s)', (discharge, name) => {
    expect(chosenFor(discharge).protocol?.definition.id).toBe(name && `transition-${name}`);
  });

  it('after a death is the one for condolences once it is in use, and has nothing else', () => {
    const plans = structuredClone(ofType(artifacts, 'PlanDefinition'));
    for (const plan of plans) if (plan.id === 'transition-condolence') plan.status = 'active';
    const among = readProtocols(plans, ofType(artifacts, 'ActivityDefinition'));
    expect(chosenFor({ to: 'died' }, among).steps).toEqual(['condolence']);
  });

  it('schedules for hospice nothing but what is said', () => {
    expect(chosenFor({ to: 'hospice-home' }).steps).toEqual(['hospice-start']);
  });

  it('sees the patient of a stay for mental illness not on the day of discharge, and of an emergency visit also then', () => {
    const visit = (of: string) =>
      chosenFor({ to: 'home', of, diagnosis: 'F32.9' }).protocol?.steps.find(
        ({ id }) => id === 'behavioral-health-visit-7',
      )?.timing;
    expect(visit('IMP')).toMatchObject({ count: 'calendar-day', opens: 1, due: 7 });
    expect(visit('EMER')).toMatchObject({ count: 'calendar-day', opens: 0, due: 7 });
  });
});

describe('steps that depend on what is known', () => {
  const order: DeviceRequest = {
    resourceType: 'DeviceRequest',
    id: 'd',
    intent: 'order',
    subject: { reference: 'Patient/p1' },
    codeCodeableConcept: { text: 'Walker' },
  };
  const report: DiagnosticReport = { resourceType: 'DiagnosticReport', id: 'r', status: 'registered', code: {} };
  const stepsOf = (changes: Partial<TransitionContext>) => {
    const context = sampleContext(changes);
    const facts = riskFacts(assessRisk(context, NO_RISK_DATA, riskRules));
    const protocol = chooseProtocol(protocols, context, facts);
    return protocol?.steps.filter((step) => step.applies(context, facts)).map(({ id }) => id) ?? [];
  };

  it.each([
    ['equipment-delivered', { orders: [order] }],
    ['pending-results', { pendingResults: [report] }],
    ['home-health-start', { destination: 'home-health' }],
  ])('%s is there only then', (step, changes) => {
    expect(stepsOf({})).not.toContain(step);
    expect(stepsOf(changes)).toContain(step);
  });
});

describe('every protocol', () => {
  it('names its sources, and each of its steps that follows one', () => {
    const silent = protocols.flatMap(({ definition, steps }) => {
      const cited = steps.filter(({ action }) => action.documentation?.every(({ citation }) => citation));
      const hasSource = (definition.relatedArtifact ?? []).length > 0;
      return hasSource && cited.length > 0 ? [] : [definition.id];
    });
    expect(silent).toEqual([]);
  });

  it('asks for two attempts at the contact, and goes on trying after the deadline', () => {
    const contacts = protocols.flatMap(({ steps }) => steps.filter(({ id }) => id === 'contact'));
    expect(contacts.length).toBeGreaterThan(5);
    for (const { life } of contacts) {
      expect(life.credit).toEqual({ attempts: 2, apartHours: 2 });
      expect(life.expires?.value).toBeGreaterThanOrEqual(14);
    }
  });
});

describe('who pays', () => {
  const read = createPayerReader(ofType(artifacts, 'ConceptMap'));
  const at = { discharge: Temporal.Instant.from('2026-11-20T19:00:00Z'), zone: 'America/New_York' };
  const coverage = (system: string, code: string, more: object = {}) => ({
    resourceType: 'Coverage' as const,
    status: 'active' as const,
    type: { coding: [{ system, code }] },
    beneficiary: { reference: 'Patient/p1' },
    payor: [{ display: 'x' }],
    ...more,
  });
  const SOPT = 'https://nahdo.org/sopt';

  it.each([
    [coverage(SOPT, '121'), ['medicare']],
    [coverage(SOPT, '2'), ['medicaid']],
    [coverage(SOPT, '512'), ['commercial']],
    [coverage('http://terminology.hl7.org/CodeSystem/v2-0086', 'MA'), ['medicare']],
    [coverage('http://terminology.hl7.org/CodeSystem/v2-0086', 'MC'), ['medicaid']],
    [coverage('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'PUBLICPOL'), []],
    [coverage(SOPT, '1', { status: 'cancelled' }), []],
    [coverage(SOPT, '1', { period: { end: '2026-11-19' } }), []],
    [coverage(SOPT, '1', { period: { end: '2026-11-20' } }), ['medicare']],
    [coverage(SOPT, '1', { period: { start: '2026-11-21' } }), []],
  ])('%j is %j', (given, kinds) => {
    expect(read([given], at)).toEqual(kinds);
  });
});

describe('a protocol that cannot be is refused when it is loaded', () => {
  const BASE = 'https://baton.health/fhir/StructureDefinition/';
  const load = (change: (step: Record<string, unknown>) => void) => {
    const plans = structuredClone(ofType(artifacts, 'PlanDefinition'));
    const plan = plans.find(({ id }) => id === 'transition-home-high-risk');
    change(plan?.action?.[0]?.action?.find(({ id }) => id === 'contact') as unknown as Record<string, unknown>);
    return () => readProtocols(plans, ofType(artifacts, 'ActivityDefinition'));
  };
  const withLife =
    (...extension: object[]) =>
    (step: Record<string, unknown>) => {
      const others = (step.extension as { url: string }[]).filter(({ url }) => !url.endsWith('follow-up-life'));
      step.extension = [...others, { url: `${BASE}follow-up-life`, extension }];
    };
  const hours = (value: number, code = 'h') => ({ value, code, system: 'http://unitsofmeasure.org' });
  const rung = (who: string, after: object) => ({
    url: 'rung',
    extension: [
      { url: 'who', valueCode: who },
      { url: 'after', valueDuration: after },
    ],
  });

  it.each([
    [
      'that expires before its deadline',
      withLife({ url: 'expires', valueDuration: hours(1, 'd') }),
      /expires lies before/,
    ],
    ['with a reminder in months', withLife({ url: 'remind', valueDuration: hours(1, 'mo') }), /remind must be a whole/],
    [
      'with a reminder of half an hour',
      withLife({ url: 'remind', valueDuration: hours(0.5) }),
      /remind must be a whole/,
    ],
    ['that tells nobody there is', withLife(rung('board', hours(0))), /rung must say who/],
    ['whose ladder goes down', withLife(rung('owner', hours(4)), rung('supervisor', hours(1))), /order of time/],
    ['that expires in years', withLife({ url: 'expires', valueDuration: hours(4000, 'd') }), /longer than a year/],
    [
      'with a late policy that there is not',
      (step: Record<string, unknown>) => {
        const [timing] = step.extension as { extension: object[] }[];
        timing?.extension.push({ url: 'late', valueCode: 'never' });
      },
      /late must be/,
    ],
    [
      'with a deadline in ten years',
      (step: Record<string, unknown>) => {
        step.timingDuration = hours(3661, 'd');
      },
      /timingDuration must be/,
    ],
  ])('%s', (_, change, message) => {
    expect(load(change)).toThrow(message);
  });
});
