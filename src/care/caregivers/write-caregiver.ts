// A caregiver as a RelatedPerson. Pure; what a change does not name stays.
import type { Extension, RelatedPerson } from '@medplum/fhirtypes';
import { type Coded, conceptOf } from '../coded.ts';
import { concept, hasCode } from '../concept.ts';
import { CAREGIVER_PROFILES, PERMISSION, type Permission, V2_RELATIONSHIP } from './caregiver-codes.ts';
import type { AddCaregiver, ChangeCaregiver } from './caregiver-schema.ts';

const EMERGENCY = concept(V2_RELATIONSHIP, 'C', 'Emergency Contact');
const LANGUAGE = 'urn:ietf:bcp:47';

/** @param patient `Patient/…` */
export function writeCaregiver(input: AddCaregiver, patient: string): RelatedPerson {
  const { start, ...said } = input;
  const person: RelatedPerson = {
    resourceType: 'RelatedPerson',
    meta: { profile: [...CAREGIVER_PROFILES] },
    active: true,
    patient: { reference: patient },
    ...(start === undefined ? {} : { period: { start } }),
  };
  return changeCaregiver(person, said);
}

export function changeCaregiver(person: RelatedPerson, input: ChangeCaregiver): RelatedPerson {
  const { name, relationship, telecom, language, permissions, emergencyContact } = input;
  return {
    ...(permissions ? withPermissions(person, permissions) : person),
    ...(name ? { name: [{ ...person.name?.[0], ...name }, ...(person.name ?? []).slice(1)] } : {}),
    ...(relationship || emergencyContact !== undefined
      ? { relationship: relationshipsOf(person, relationship, emergencyContact) }
      : {}),
    ...(telecom ? { telecom } : {}),
    ...(language === undefined ? {} : { communication: spokenBy(person, language) }),
  };
}

export const isEmergencyContact = (relationship: RelatedPerson['relationship']): boolean =>
  relationship?.some((one) => hasCode(one, V2_RELATIONSHIP, 'C')) ?? false;

/** The emergency contact is one of the relationships in FHIR, and a mark of its own to a nurse. */
function relationshipsOf(person: RelatedPerson, given: readonly Coded[] | undefined, emergency: boolean | undefined) {
  const before = (person.relationship ?? []).filter((one) => !hasCode(one, V2_RELATIONSHIP, 'C'));
  const isContact = emergency ?? isEmergencyContact(person.relationship);
  return [...(given ? given.map(conceptOf) : before), ...(isContact ? [EMERGENCY] : [])];
}

/** The preferred language first; the others stay, no longer preferred. */
function spokenBy({ communication = [] }: RelatedPerson, code: string): RelatedPerson['communication'] {
  const others = communication.filter(({ language }) => !language?.coding?.some((coding) => coding.code === code));
  const known = communication.find((one) => !others.includes(one));
  const preferred = { ...(known ?? { language: { coding: [{ system: LANGUAGE, code }] } }), preferred: true };
  return [preferred, ...others.map(({ preferred: _, ...rest }) => rest)];
}

function withPermissions(person: RelatedPerson, permissions: readonly Permission[]): RelatedPerson {
  const { extension = [], ...rest } = person;
  const others = extension.filter(({ url }) => url !== PERMISSION);
  const all = [...others, ...permissions.map((valueCode): Extension => ({ url: PERMISSION, valueCode }))];
  return all.length > 0 ? { ...rest, extension: all } : rest;
}
