// References that an application sends: to something that is there, that the caller may see, of a type that fits, and
// about nobody but the patient of the case.
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { parseLiteral } from '../fhir/references.ts';
import type { Kept, Records } from './records.ts';

/** The patient of the case, as `Patient/12`; without one, what is meant is nobody's, e.g. a place. */
interface Whose {
  readonly subject?: { readonly reference: string };
}

/** Whom or what a resource may be about. */
interface About {
  readonly subject?: { readonly reference?: string };
  readonly patient?: { readonly reference?: string };
  readonly for?: { readonly reference?: string };
}

/**
 * What the reference leads to.
 * @param member of the request that holds it, for the sentence
 * @throws Fault unprocessable naming the member
 */
export async function knownResource<K extends ResourceType>(
  records: Records,
  { subject }: Whose,
  reference: string,
  types: readonly K[],
  member: string,
): Promise<Kept<K>> {
  const target = parseLiteral(reference);
  const type = types.find((one) => one === target?.type);
  if (!target || !type) throw unusable(member, `${member} must lead to one of ${types.join(', ')}.`);
  const found = await records.read(type, target.id);
  if (!found) throw unusable(member, `${member} leads to ${reference}, which is not there or may not be seen.`);
  const whose = ownerOf(found);
  if (whose !== undefined && subject !== undefined && whose !== subject.reference) {
    throw unusable(member, `${member} leads to something of another patient than that of the case.`);
  }
  return found;
}

/** The same for many: `member[0]`, `member[1]`… */
export function knownResources<K extends ResourceType>(
  records: Records,
  about: Whose,
  given: readonly { readonly reference: string }[] | undefined,
  types: readonly K[],
  member: string,
): Promise<Kept<K>[]> {
  return Promise.all(
    (given ?? []).map(({ reference }, at) => knownResource(records, about, reference, types, `${member}[${at}]`)),
  );
}

/** The patient that a resource is about, when it is about one. */
function ownerOf(resource: Resource): string | undefined {
  if (resource.resourceType === 'Patient') return `Patient/${resource.id}`;
  const { subject, patient, for: whom } = resource as About;
  return [subject, patient, whom].map((one) => one?.reference).find((one) => one?.startsWith('Patient/'));
}

/** The fault of a command that names what is not there, or not of the patient of the case. */
export function notOfPatient(reference: string | undefined, member: string): Fault {
  return unusable(member, `${reference} is not there for the patient of this case.`);
}

function unusable(expression: string, sentence: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'not-found' });
}

export const PEOPLE = ['Practitioner', 'PractitionerRole', 'Patient', 'RelatedPerson'] as const;
export const OWNERS = [
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'CareTeam',
  'Patient',
  'RelatedPerson',
] as const;
export const EVIDENCE = [
  'Observation',
  'QuestionnaireResponse',
  'Condition',
  'RiskAssessment',
  'DocumentReference',
] as const;
