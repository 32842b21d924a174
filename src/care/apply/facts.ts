// What the expressions of a pathway can ask about, read only when one does, and only what the caller may see.
import type { Encounter, Organization, Patient, Practitioner, Resource } from '@medplum/fhirtypes';
import { compilePath } from '../../fhir/fhirpath/compile.ts';
import type { Environment } from '../../fhir/fhirpath/evaluation.ts';
import type { Records, SearchFor } from '../records.ts';
import type { Facts } from './expression.ts';
import type { Pathway, PathwayQuery } from './pathway.ts';
import { refusal } from './refusal.ts';

/** Whom and what a definition is applied to. */
export interface Subject {
  readonly patient: Patient;
  readonly encounter?: Encounter;
  readonly practitioner?: Practitioner;
  readonly organization?: Organization;
  /** More variables, by name: what the caller gave as parameters. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly now: Temporal.Instant;
  readonly zone: string;
}

/** Variables that are all of the patient's resources of a type, as far as the caller may see them. */
const RECORDS = {
  conditions: 'Condition',
  observations: 'Observation',
  medications: 'MedicationRequest',
  allergies: 'AllergyIntolerance',
  procedures: 'Procedure',
  encounters: 'Encounter',
  caregivers: 'RelatedPerson',
  coverages: 'Coverage',
  assessments: 'QuestionnaireResponse',
  risks: 'RiskAssessment',
  goals: 'Goal',
  plans: 'CarePlan',
} as const;

/** Variables that are one resource or value. */
const SINGLE = new Set(['subject', 'patient', 'encounter', 'practitioner', 'organization', 'now', 'zone']);
/** Variables of a dynamic value alone. */
const OF_A_STEP = new Set(['action', 'definition', 'start', 'due']);

export function isVariable(name: string): boolean {
  return SINGLE.has(name) || OF_A_STEP.has(name) || Object.hasOwn(RECORDS, name);
}

type Cql = Facts['cql'];

/**
 * Reads what a pathway needs to know.
 * @param cql results of its libraries
 * @throws Fault unprocessable when a query of the pathway's own cannot be carried out; what `records` throws
 */
export async function readFacts(
  pathway: Pick<Pathway, 'variables' | 'queries'>,
  subject: Subject,
  records: Records,
  cql: Cql,
): Promise<Facts> {
  const { patient, encounter, practitioner, organization, given, now, zone } = subject;
  const variables: Record<string, unknown> = {
    ...given,
    ...{ subject: patient, patient, encounter, practitioner, organization, now, zone },
  };
  for (const [name, type] of Object.entries(RECORDS)) {
    if (!pathway.variables.has(name)) continue;
    const found = await records.find(type, { patient: patient.id ?? '' });
    variables[name] = (found as Resource[]).filter((one) => !isMistaken(one));
  }
  for (const query of pathway.queries) {
    if (pathway.variables.has(query.name)) variables[query.name] = await ask(query, records, patient, variables);
  }
  return { subject: patient, variables: variables as Environment, cql };
}

/** Without CQL there are no results to ask for. */
export const NO_CQL: Cql = () => undefined;

/** `{{…}}` in a query is FHIRPath over the patient. https://build.fhir.org/ig/HL7/sdc/expressions.html#x-fhir-query-enhancements */
async function ask(
  { name, query, place }: PathwayQuery,
  records: Records,
  patient: Patient,
  variables: Environment,
): Promise<Resource[]> {
  const text = query.replace(/\{\{(.*?)\}\}/g, (_, expression: string) => {
    const [value] = compilePath(expression.trim(), 'Patient')(patient, variables);
    return encodeURIComponent(String(value?.value ?? ''));
  });
  const [, type, parameters] = /^([A-Z]\w*)\?(.+)$/.exec(text) ?? [];
  const search: Record<string, string[]> = {};
  for (const [key, value] of new URLSearchParams(parameters)) {
    search[key] = [...(search[key] ?? []), value];
  }
  // A query that names no patient would read everybody's record.
  const isAboutPatient = ['patient', 'subject'].some((key) => search[key]?.some((value) => isThis(value, patient)));
  if (!type || !isAboutPatient) {
    throw refusal(place, `the query of %${name} must be Type?patient={{%patient.id}}&…`);
  }
  return records.find(type as 'Observation', search as SearchFor);
}

function isThis(value: string, { id = '' }: Patient): boolean {
  return id !== '' && (value === id || value === `Patient/${id}`);
}

/** Entered in error, or a condition that was refuted. */
function isMistaken(resource: Resource): boolean {
  const { status, verificationStatus } = resource as {
    status?: string;
    verificationStatus?: { coding?: { code?: string }[] };
  };
  const codes = verificationStatus?.coding?.map(({ code }) => code) ?? [];
  return status === 'entered-in-error' || codes.includes('entered-in-error') || codes.includes('refuted');
}
