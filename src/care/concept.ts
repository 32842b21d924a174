// Codes of Baton's own code systems as CodeableConcepts, with the words people read.
import type { CodeableConcept } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from './systems.ts';

/** A concept with one coding and the display as text. */
export function concept(system: string, code: string, display: string): CodeableConcept {
  return { coding: [{ system, code, display }], text: display };
}

/** True when one of the concept's codings is `code` of `system`. */
export function hasCode(value: CodeableConcept | undefined, system: string, code: string): boolean {
  return value?.coding?.some((coding) => coding.system === system && coding.code === code) ?? false;
}

const TRANSITION_REASONS = {
  'discharge-cancelled': 'Discharge cancelled',
  readmitted: 'Readmitted',
  died: 'Died',
  transferred: 'Transferred',
  continued: 'Continued by a later stay',
  superseded: 'Superseded',
  'no-protocol': 'No protocol',
  resolved: 'Resolved',
  expired: 'Expired',
  'opted-out': 'Opted out',
  'other-provider-bills': 'Another provider bills',
  'not-needed': 'Not needed',
  'admission-cancelled': 'Admission cancelled',
} as const;

/** CodeSystem transition-reason. */
export type TransitionReason = keyof typeof TRANSITION_REASONS;

export function reasonConcept(reason: TransitionReason): CodeableConcept {
  return concept(CODE_SYSTEM.transitionReason, reason, TRANSITION_REASONS[reason]);
}

const CARE_ROLES = { 'case-manager': 'Case manager', supervisor: 'Case management supervisor' } as const;

export function roleConcept(role: keyof typeof CARE_ROLES): CodeableConcept {
  return concept(CODE_SYSTEM.careRole, role, CARE_ROLES[role]);
}
