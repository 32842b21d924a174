// PV1 -> Encounter. https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-pv1-to-encounter.html
import type {
  CodeableConcept,
  Coding,
  Encounter,
  EncounterHospitalization,
  EncounterParticipant,
  Patient,
  Reference,
} from '@medplum/fhirtypes';
import type { Message, Segment } from '../er7/message.ts';
import { Refusal } from '../refusal.ts';
import { lookUpCoding } from '../tables.ts';
import { readConcept } from './coded.ts';
import { type Identified, readIdentifier } from './identifier.ts';
import { isOlder, mergeCarried, stampLatest } from './merge.ts';
import { facilityOrganization, readPractitioner } from './parties.ts';
import { filled, present } from './person.ts';
import { readVisitDetails } from './pv2.ts';
import { readWhereabouts } from './read-whereabouts.ts';
import type { Reading } from './reading.ts';
import { mergeStay, readStay } from './stay.ts';
import { joinWhereabouts } from './whereabouts.ts';

const TABLE = 'http://terminology.hl7.org/CodeSystem/v2-';

/**
 * The visit's identifiers, the one it is recognised by first: PV1-19; for senders that leave it empty PV1-50, then the
 * account number PID-18.
 */
export function readVisitIdentifiers(message: Message, pv1: Segment, facility: string): Identified[] {
  const visit = readIdentifier(pv1.first(19), facility, 'VN');
  const alternates = pv1.all(50).flatMap((field) => readIdentifier(field, facility) ?? []);
  const pid = message.segment('PID');
  const account = pid && readIdentifier(pid.first(18), facility, 'AN');
  return [visit, ...alternates, account].filter((one) => one !== undefined);
}

/** @throws Refusal AE 102 */
export function readEncounter(
  pv1: Segment,
  reading: Reading,
  subject: Reference<Patient>,
  diagnosis: Encounter['diagnosis'],
  identifier: Identified[],
): Encounter {
  const stay = readStay(pv1, reading);
  const visit = readVisitDetails(reading);
  const encounter: Encounter = {
    resourceType: 'Encounter',
    identifier,
    ...stay,
    ...visit,
    class: encounterClass(pv1),
    type: [encounterType(pv1)],
    subject,
    ...present({
      extension: [
        ...(stay.extension ?? []),
        ...(visit.extension ?? []),
        ...readWhereabouts(pv1, reading, encounterClass(pv1), stay.period?.start),
      ],
      serviceType: readConcept(pv1.first(10), `${TABLE}0069`),
      participant: filled(participants(pv1, reading)),
      diagnosis,
      hospitalization: hospitalization(pv1, reading, stay.hospitalization),
    }),
    serviceProvider: facilityOrganization(reading),
  };
  return joinWhereabouts(stampLatest(encounter, reading.eventTime), encounter);
}

/**
 * Joins an Encounter of one message with the stored one.
 * @param zone of the facility, as far as it is known
 * @throws Refusal AE 205 when the visit is another patient's
 */
export function mergeEncounter(
  eventTime: Temporal.Instant,
  zone?: string,
): (stored: Encounter, fresh: Encounter) => Encounter {
  return (stored, fresh) => {
    if (stored.subject?.reference !== fresh.subject?.reference) {
      throw new Refusal('AE', '205', 'The visit number is already that of another patient.', 'PV1^1^19');
    }
    const merged = mergeCarried(eventTime)(stored, fresh);
    const hospitalization = isOlder(stored, eventTime)
      ? { ...fresh.hospitalization, ...stored.hospitalization }
      : { ...stored.hospitalization, ...fresh.hospitalization };
    return joinWhereabouts(mergeStay(stored, fresh, { ...merged, hospitalization }, zone), stored, fresh);
  };
}

function encounterClass(pv1: Segment): Coding {
  const code = pv1.text(2);
  return (
    lookUpCoding('patientClass', code) ?? {
      system: `${TABLE}0004`,
      code: /^\S+$/.test(code) ? code : 'U',
      ...present({ display: pv1.first(2).get(2) }),
    }
  );
}

/** US Core wants a type: PV1-4, else PV1-18, else the class in words. */
function encounterType(pv1: Segment): CodeableConcept {
  const admission = lookUpCoding('admissionType', pv1.text(4));
  if (admission) return { coding: [admission], text: admission.display };
  const patientClass = encounterClass(pv1);
  return (
    readConcept(pv1.first(4), `${TABLE}0007`) ??
    readConcept(pv1.first(18), `${TABLE}0018`) ?? { text: patientClass.display ?? patientClass.code }
  );
}

function participants(pv1: Segment, reading: Reading): EncounterParticipant[] {
  return [7, 8, 9, 17, 52].flatMap((field) =>
    pv1.all(field).flatMap((doctor): EncounterParticipant[] => {
      const individual = readPractitioner(doctor, reading);
      const coding = lookUpCoding('participation', String(field));
      return individual && coding ? [{ type: [{ coding: [coding] }], individual }] : [];
    }),
  );
}

function hospitalization(
  pv1: Segment,
  reading: Reading,
  discharge: EncounterHospitalization | undefined,
): EncounterHospitalization | undefined {
  const destination = pv1.text(37);
  return present({
    preAdmissionIdentifier: readIdentifier(pv1.first(5), reading.facility.code),
    admitSource: readConcept(pv1.first(14), `${TABLE}0023`),
    reAdmission: readConcept(pv1.first(13), `${TABLE}0092`),
    dietPreference: filled([readConcept(pv1.first(38), `${TABLE}0114`)]),
    destination: destination ? { display: destination } : undefined,
    ...discharge,
  });
}
