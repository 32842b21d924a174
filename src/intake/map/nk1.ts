// NK1 -> Patient.contact and, for people (not employers, agencies or insurers), RelatedPerson.
// https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-nk1-to-relatedperson.html
import type { CodeableConcept, Patient, PatientContact, Reference, RelatedPerson } from '@medplum/fhirtypes';
import type { Repetition, Segment } from '../er7/message.ts';
import { readDate } from '../er7/timestamp.ts';
import { lookUpCoding } from '../tables.ts';
import { readConcept } from './coded.ts';
import { digest } from './digest.ts';
import { type Identified, readIdentifier } from './identifier.ts';
import { mergeCarried, stampLatest } from './merge.ts';
import { filled, present, readAddress, readGender, readLanguage, readName, readTelecom } from './person.ts';
import type { Reading } from './reading.ts';
import { RELATED_PERSON_SYSTEM } from './systems.ts';

/** NK1-3 of those that are no persons: employer, federal agency, insurance company, state agency. */
const NOT_PERSONS = ['EMR', 'E', 'F', 'I', 'S'];

export function readContacts(reading: Reading): PatientContact[] {
  return reading.message.segments('NK1').flatMap((nk1) => {
    const { name, address, telecom, gender, period } = person(nk1);
    const organization = nk1.text(13);
    const contact = present({
      relationship: relationships(nk1),
      name: name?.[0],
      telecom,
      address: address?.[0],
      gender,
      organization: organization ? { display: organization } : undefined,
      period,
    });
    // pat-1: a contact without a way to name or reach anybody is none.
    return contact && (contact.name || contact.telecom || contact.address || contact.organization) ? [contact] : [];
  });
}

/** Adds one RelatedPerson draft for every next of kin that is a person with a name. */
export function draftRelatedPersons(reading: Reading, patient: Reference<Patient>, key: Identified): void {
  for (const nk1 of reading.message.segments('NK1')) {
    const { name, address, telecom, gender, period } = person(nk1);
    if (!name || NOT_PERSONS.includes(nk1.text(3))) continue;
    const who = [name[0]?.family, ...(name[0]?.given ?? [])].join(' ').toLowerCase();
    const identifier = {
      system: RELATED_PERSON_SYSTEM,
      value: digest(key.system, key.value, nk1.text(33) || who, nk1.text(3)),
    };
    const resource: RelatedPerson = {
      resourceType: 'RelatedPerson',
      identifier: [identifier, ...nk1.all(33).flatMap((field) => readIdentifier(field, reading.facility.code) ?? [])],
      active: true,
      patient,
      name,
      ...present({
        relationship: relationships(nk1),
        telecom,
        gender,
        birthDate: readDate(nk1, 16),
        address,
        period,
        communication: filled(nk1.all(20).map(readLanguage)),
      }),
    };
    reading.drafts.add(stampLatest(resource, reading.eventTime), identifier, mergeCarried(reading.eventTime));
  }
}

function person(nk1: Segment) {
  const or = (field: number, other: number) => (nk1.all(field).length > 0 ? nk1.all(field) : nk1.all(other));
  return {
    name: filled(or(2, 30).map((field) => readName(field))),
    address: filled(or(4, 32).map(readAddress)),
    telecom: filled([
      ...nk1.all(5).map((field) => readTelecom(field, 'home')),
      ...nk1.all(6).map((field) => readTelecom(field, 'work')),
      ...[31, 40, 41].flatMap((at) => nk1.all(at)).map((field) => readTelecom(field)),
    ]),
    gender: readGender(nk1, 15),
    period: present({ start: readDate(nk1, 8), end: readDate(nk1, 9) }),
  };
}

/** NK1-3 relationship and NK1-7 contact role. */
function relationships(nk1: Segment): CodeableConcept[] | undefined {
  return filled([3, 7].flatMap((at) => nk1.all(at)).map(relationship));
}

function relationship(field: Repetition): CodeableConcept | undefined {
  const mapped = lookUpCoding('relationship', field.get(1));
  if (!mapped) return readConcept(field, 'http://terminology.hl7.org/CodeSystem/v2-0063');
  return { coding: [mapped], text: field.get(2) || mapped.display };
}
