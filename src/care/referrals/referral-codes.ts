// How referrals are coded: Baton's kinds, US Core's and Gravity's categories, and which profiles an order may claim.
// http://hl7.org/fhir/us/sdoh-clinicalcare
import type { CodeableConcept } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { concept } from '../concept.ts';
import { GRAVITY_CODES, SOCIAL_NEEDS, type SocialNeed } from '../needs/social-needs.ts';

const BASE = 'https://baton.health/fhir';
const US_CORE = 'http://hl7.org/fhir/us/core';

export const PROFILE = {
  referral: profileUrl('baton', 'baton-referral'),
  task: profileUrl('baton', 'baton-referral-task'),
  outcome: profileUrl('baton', 'baton-referral-outcome'),
  choice: profileUrl('baton', 'baton-provider-choice'),
  usCoreServiceRequest: profileUrl('usCore', 'us-core-servicerequest'),
  usCoreProcedure: profileUrl('usCore', 'us-core-procedure'),
  gravityServiceRequest: profileUrl('gravity', 'SDOHCC-ServiceRequest'),
  gravityTask: profileUrl('gravity', 'SDOHCC-TaskForReferralManagement'),
  gravityProcedure: profileUrl('gravity', 'SDOHCC-Procedure'),
} as const;

/** ServiceRequest: when, by whom and how it was confirmed that the service was received. */
export const CLOSURE = `${BASE}/StructureDefinition/referral-closure`;
export const KIND = `${BASE}/CodeSystem/referral-kind`;
const TASK_CODE = 'http://hl7.org/fhir/CodeSystem/task-code';
const REFERRAL_TASK = `${BASE}/CodeSystem/referral-task`;

export const FULFILL = concept(TASK_CODE, 'fulfill', 'Fulfill the focal request');
export const RESULTING_ACTIVITY = concept(GRAVITY_CODES, 'resulting-activity', 'Resulting Activity');
export const CONTACT_PROHIBITED = concept(
  GRAVITY_CODES,
  'contacting-subject-prohibited',
  'Contacting Subject Prohibited',
);
export const OFFER_CHOICE = concept(REFERRAL_TASK, 'offer-choice', 'Offer a choice of providers');
export const OFFERED = concept(REFERRAL_TASK, 'offered-provider', 'Offered provider');
export const CHOSEN = concept(REFERRAL_TASK, 'chosen-provider', 'Chosen provider');
export const CHOSEN_BY = concept(REFERRAL_TASK, 'chosen-by', 'Chosen by');

/** CodeSystem referral-kind. */
const KINDS = {
  'home-health': 'Home health',
  therapy: 'Therapy',
  hospice: 'Hospice',
  palliative: 'Palliative care',
  facility: 'Post-acute facility',
  specialist: 'Specialist',
  'behavioral-health': 'Behavioral health',
  'community-resource': 'Community resource',
  'financial-assistance': 'Financial assistance',
  other: 'Other service',
} as const;
export type ReferralKind = keyof typeof KINDS;
export const REFERRAL_KINDS = Object.keys(KINDS) as ReferralKind[];

export const kindConcept = (kind: ReferralKind): CodeableConcept => concept(KIND, kind, KINDS[kind]);

export function kindOf(categories: readonly CodeableConcept[] = []): ReferralKind | undefined {
  const codes = codesOf(categories, KIND);
  return REFERRAL_KINDS.find((kind) => codes.includes(kind));
}

const wordsOf = (code: string) =>
  code
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');

/** Gravity's category, and US Core's that it is one at all. */
export function sdohConcepts(categories: readonly SocialNeed[]): CodeableConcept[] {
  if (categories.length === 0) return [];
  const isSdoh = concept(`${US_CORE}/CodeSystem/us-core-category`, 'sdoh', 'SDOH');
  return [isSdoh, ...categories.map((category) => concept(GRAVITY_CODES, category, wordsOf(category)))];
}

export function sdohOf(categories: readonly CodeableConcept[] = []): SocialNeed[] {
  const codes = codesOf(categories, GRAVITY_CODES);
  return SOCIAL_NEEDS.filter((category) => codes.includes(category));
}

function codesOf(concepts: readonly CodeableConcept[], system: string): (string | undefined)[] {
  return concepts.flatMap(({ coding = [] }) => coding.filter((one) => one.system === system).map(({ code }) => code));
}

/** Systems of US Core's procedure codes, which Gravity requires. */
const PROCEDURES = new Set([
  'http://snomed.info/sct',
  'http://www.ama-assn.org/go/cpt',
  'http://loinc.org',
  'http://www.cms.gov/Medicare/Coding/ICD10',
  'http://www.ada.org/cdt',
  'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets',
]);

export const isProcedureCode = (code: CodeableConcept | undefined): boolean =>
  code?.coding?.some(({ system }) => PROCEDURES.has(system ?? '')) ?? false;

/** Gravity takes a Task only from a role or an organization. */
export const isGravityRequester = (reference = ''): boolean => /^(PractitionerRole|Organization)\//.test(reference);
