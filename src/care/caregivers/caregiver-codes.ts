// How family members and other caregivers are coded. https://hl7.org/fhir/R4/relatedperson.html
import { profileUrl } from '../../fhir/profile-canonical.ts';
import { concept } from '../concept.ts';

const BASE = 'https://baton.health/fhir';
export const CAREGIVER_PROFILES = [
  profileUrl('baton', 'baton-caregiver'),
  profileUrl('usCore', 'us-core-relatedperson'),
];
export const STRAIN_PROFILES = [
  profileUrl('baton', 'baton-caregiver-strain'),
  profileUrl('usCore', 'us-core-simple-observation'),
  profileUrl('mcc', 'MCCCaregiverConsiderationsObservation'),
];
export const PERMISSION = `${BASE}/StructureDefinition/caregiver-permission`;
export const V2_RELATIONSHIP = 'http://terminology.hl7.org/CodeSystem/v2-0131';

/** CodeSystem caregiver-permission: what the patient has said this person may. */
export const PERMISSIONS = [
  'know-condition',
  'talk-with-team',
  'share-decisions',
  'decide',
  'collect-medication',
  'arrange-services',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** One category that is both: MCC slices the caregiver's wellbeing out of what US Core has as a category already. */
export const STRAIN_CATEGORIES = [
  {
    coding: [
      { system: 'http://snomed.info/sct', code: '405193005', display: 'Caregiver wellbeing status' },
      {
        system: 'http://terminology.hl7.org/CodeSystem/observation-category',
        code: 'social-history',
        display: 'Social History',
      },
    ],
  },
];

/** LOINC, of the Clinical Care Classification. */
export const ROLE_STRAIN = concept('http://loinc.org', '42821-9', 'Caregiver role strain');

const STRAIN = `${BASE}/CodeSystem/caregiver-strain`;
const LEVELS = { none: 'No strain', some: 'Some strain', considerable: 'Considerable strain', severe: 'Severe strain' };
export type StrainLevel = keyof typeof LEVELS;
export const STRAIN_LEVELS = Object.keys(LEVELS) as StrainLevel[];

export const levelConcept = (level: StrainLevel) => concept(STRAIN, level, LEVELS[level]);

export const levelOf = (codings: readonly { system?: string; code?: string }[] = []): StrainLevel | undefined =>
  STRAIN_LEVELS.find((level) => codings.some(({ system, code }) => system === STRAIN && code === level));
