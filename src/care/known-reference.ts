// References that a person gives: of the right type, and to something that the caller can see.
import type { ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { parseLiteral } from '../fhir/references.ts';
import type { Kept, Records } from './records.ts';

/** What may take part in a meeting. https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.participant.actor */
export const PEOPLE = ['Practitioner', 'PractitionerRole', 'RelatedPerson', 'Patient'] as const;

/**
 * That each can be used.
 * @param patientId of the case: other patients, and caregivers of other patients, have no place in it
 * @throws Fault unprocessable naming the member and its position
 */
export async function requireKnown(
  records: Records,
  given: readonly Given[],
  types: readonly ResourceType[],
  member: string,
  patientId?: string,
): Promise<void> {
  await Promise.all(given.map((one, at) => requireOneKnown(records, one, types, `${member}[${at}]`, patientId)));
}

/** The same for a member that holds one reference. */
export async function requireOneKnown(
  records: Records,
  { reference }: Given,
  types: readonly ResourceType[],
  member: string,
  patientId?: string,
): Promise<void> {
  const target = parseLiteral(reference);
  const type = types.find((one) => one === target?.type);
  if (!target || !type) throw unusable(member, `${member} must refer to one of: ${types.join(', ')}.`);
  if (type === 'Patient' && patientId !== undefined && target.id !== patientId) {
    throw unusable(member, `${member} is another patient than that of the case.`);
  }
  const found = await records.read(type, target.id);
  if (!found) throw unusable(member, `${member} refers to ${reference}, which does not exist or may not be seen.`);
  const ward = type === 'RelatedPerson' ? (found as Kept<'RelatedPerson'>).patient.reference : undefined;
  if (ward !== undefined && patientId !== undefined && ward !== `Patient/${patientId}`) {
    throw unusable(member, `${member} is not a caregiver of the patient of the case.`);
  }
}

interface Given {
  readonly reference: string;
}

function unusable(expression: string, sentence: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'not-found' });
}
