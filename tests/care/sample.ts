// A discharge to plan for, as stored resources: a heart failure patient who was admitted through emergency.
import type { Condition, Encounter } from '@medplum/fhirtypes';
import type { TransitionContext } from '../../src/care/transition/transition-context.ts';
import { usFederal } from './artifacts.ts';

export const NEW_YORK = 'America/New_York';

export function condition(id: string, code: string, system = 'http://hl7.org/fhir/sid/icd-10-cm'): Condition {
  return {
    resourceType: 'Condition',
    id,
    code: { coding: [{ system, code }] },
    subject: { reference: 'Patient/p1' },
    verificationStatus: { coding: [{ code: 'confirmed' }] },
  };
}

/** Discharged home on Friday 20 November 2026, 14:00 in New York, after five nights. */
export function sampleEncounter(changes: Partial<Encounter> = {}): Encounter {
  return {
    resourceType: 'Encounter',
    id: 'e1',
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0007', code: 'E' }] }],
    subject: { reference: 'Patient/p1' },
    serviceProvider: { reference: 'Organization/o1' },
    diagnosis: [{ condition: { reference: 'Condition/c1' } }],
    period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-20T14:00:00-05:00' },
    hospitalization: {
      dischargeDisposition: { coding: [{ system: 'https://www.nubc.org/CodeSystem/PatDischargeStatus', code: '01' }] },
    },
    ...changes,
  };
}

export function sampleContext(changes: Partial<TransitionContext> = {}): TransitionContext {
  return {
    encounter: sampleEncounter(),
    patient: { resourceType: 'Patient', id: 'p1' },
    conditions: [condition('c1', 'I50.9'), condition('c2', 'E11.9')],
    caregivers: [{ resourceType: 'RelatedPerson', id: 'r1', patient: { reference: 'Patient/p1' } }],
    primaryCare: [{ reference: 'Practitioner/d1' }],
    facility: { reference: 'Organization/o1' },
    destination: 'home',
    payers: [],
    orders: [],
    pendingResults: [],
    anchor: { discharge: Temporal.Instant.from('2026-11-20T19:00:00Z'), zone: NEW_YORK, calendar: usFederal },
    now: Temporal.Instant.from('2026-11-20T19:05:00Z'),
    ...changes,
  };
}
