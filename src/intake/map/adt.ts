// One ADT message -> drafts of everything it says. Pure: the store is not asked.
import type { Encounter, Patient, Provenance } from '@medplum/fhirtypes';
import { draftDiagnoses } from './dg1.ts';
import type { Draft } from './drafts.ts';
import { readProvenance } from './evn.ts';
import { draftCoverages } from './in1.ts';
import { mergeCarried, stampLatest } from './merge.ts';
import { draftRelatedPersons, readContacts } from './nk1.ts';
import { readGeneralPractitioners } from './pd1.ts';
import { readPatient } from './pid.ts';
import { mergeEncounter, readEncounter, readVisitIdentifiers } from './pv1.ts';
import { type Reading, requireSegment } from './reading.ts';

export interface AdtContent {
  readonly drafts: readonly Draft[];
  readonly provenance: Omit<Provenance, 'target'>;
  /** fullUrl of the Encounter draft. */
  readonly encounter: string;
  /** Messages about the same patient are applied one after the other: they share this. */
  readonly patientKey: string;
}

/** @throws Refusal AE 100 | 101 | 102 */
export function readAdt(reading: Reading): AdtContent {
  const { message, drafts, eventTime } = reading;
  const pid = requireSegment(message, 'PID');
  const pv1 = requireSegment(message, 'PV1');
  const { patient, key, cleared } = readPatient(pid, reading);
  const contact = readContacts(reading);
  const whole: Patient = {
    ...patient,
    ...readGeneralPractitioners(reading),
    ...(contact.length > 0 ? { contact } : {}),
  };
  const subject = drafts.add(stampLatest(whole, eventTime), key, mergeCarried(eventTime, cleared));
  draftRelatedPersons(reading, subject, key);
  draftCoverages(reading, subject, key);

  // The encounter and its diagnoses point at each other.
  const [visit] = readVisitIdentifiers(message, pv1, reading.facility.code);
  const place = drafts.refer<Encounter>('Encounter', visit);
  const diagnosis = draftDiagnoses(reading, subject, place, visit);
  drafts.add(readEncounter(pv1, reading, subject, diagnosis), visit, mergeEncounter(eventTime));

  const provenance = readProvenance(reading);
  return {
    drafts: drafts.all,
    provenance,
    encounter: place.reference ?? '',
    patientKey: JSON.stringify([key.system, key.value]),
  };
}
