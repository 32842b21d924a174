// The sections of a transitions-of-care document, in its order, and what of a patient's record each of them shows.
// http://hl7.org/fhir/us/pacio-toc
import type { Coding, ResourceType } from '@medplum/fhirtypes';

/** `plan`: the plan itself; `referral`: what the case was opened on; else what is found in the patient's record. */
export type Source = 'plan' | 'referral' | readonly Search[];

export interface Search {
  readonly type: ResourceType;
  /** Beside the patient. */
  readonly search?: Readonly<Record<string, string>>;
}

export interface TocSection {
  readonly title: string;
  readonly code: Coding;
  readonly source: Source;
}

const LOINC = 'http://loinc.org';
const loinc = (code: string, display: string): Coding => ({ system: LOINC, code, display });
const codes = (...all: string[]) => all.map((code) => `${LOINC}|${code}`).join(',');

/** Total scores of the instruments for mood, anxiety, alcohol and cognition that are most used. */
const BEHAVIOURAL = codes('44261-6', '55758-7', '69737-5', '70274-6', '75626-2', '72106-8', '72172-0');

export const TRANSFER_SUMMARY = loinc('18761-7', 'Transfer summary note');

export const TOC_SECTIONS: readonly TocSection[] = [
  {
    title: 'Advance directives',
    code: loinc('42348-3', 'Advance healthcare directives'),
    source: [
      { type: 'DocumentReference', search: { category: codes('42348-3') } },
      { type: 'DocumentReference', search: { type: codes('42348-3') } },
    ],
  },
  {
    title: 'Allergies',
    code: loinc('48765-2', 'Allergies and adverse reactions Document'),
    source: [{ type: 'AllergyIntolerance' }],
  },
  {
    title: 'Behavioral health',
    code: {
      system: 'http://hl7.org/fhir/us/pacio-toc/CodeSystem/toc-temp-cs',
      code: 'behavioral_health_summary',
      display: 'Behavioral Health Summary',
    },
    source: [{ type: 'Observation', search: { code: BEHAVIOURAL } }],
  },
  {
    title: 'Functional status',
    code: loinc('47420-5', 'Functional status assessment note'),
    source: [{ type: 'Observation', search: { category: 'functional-status,survey' } }],
  },
  {
    title: 'Immunizations',
    code: loinc('11369-6', 'History of Immunization note'),
    source: [{ type: 'Immunization' }],
  },
  {
    title: 'Instructions',
    code: loinc('69730-0', 'Instructions'),
    source: [{ type: 'DocumentReference', search: { type: codes('69730-0', '8653-8') } }],
  },
  {
    title: 'Medical devices and equipment',
    code: loinc('46264-8', 'History of medical device use'),
    source: [{ type: 'Device' }, { type: 'DeviceRequest' }],
  },
  {
    title: 'Medications',
    code: loinc('10160-0', 'History of Medication use Narrative'),
    source: [{ type: 'MedicationRequest' }, { type: 'MedicationStatement' }],
  },
  { title: 'Plan of care', code: loinc('18776-5', 'Plan of care note'), source: 'plan' },
  { title: 'Problems', code: loinc('11450-4', 'Problem list - Reported'), source: [{ type: 'Condition' }] },
  { title: 'Procedures', code: loinc('47519-4', 'History of Procedures Document'), source: [{ type: 'Procedure' }] },
  { title: 'Reason for referral', code: loinc('42349-1', 'Reason for referral (narrative)'), source: 'referral' },
  {
    title: 'Results',
    code: loinc('30954-2', 'Relevant diagnostic tests/laboratory data note'),
    source: [{ type: 'Observation', search: { category: 'laboratory' } }, { type: 'DiagnosticReport' }],
  },
  {
    title: 'Social history',
    code: loinc('29762-2', 'Social history note'),
    source: [{ type: 'Observation', search: { category: 'social-history,sdoh' } }],
  },
  {
    title: 'Vital signs',
    code: loinc('8716-3', 'Vital signs note'),
    source: [{ type: 'Observation', search: { category: 'vital-signs' } }],
  },
];
