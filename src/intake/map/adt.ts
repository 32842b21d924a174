// One ADT message -> drafts of everything it says. Pure: the store is not asked.
import type { Encounter, Patient, Provenance, Reference } from '@medplum/fhirtypes';
import type { Segment } from '../er7/message.ts';
import { Refusal } from '../refusal.ts';
import { ruleOf } from '../triggers.ts';
import { draftAllergies } from './allergies.ts';
import { draftDiagnoses } from './dg1.ts';
import type { Draft } from './drafts.ts';
import { readProvenance } from './evn.ts';
import type { Identified } from './identifier.ts';
import { draftCoverages } from './in1.ts';
import { readMergedPersons, readMergedVisits } from './mrg.ts';
import { draftRelatedPersons, readContacts } from './nk1.ts';
import { readGeneralPractitioners } from './pd1.ts';
import { joinPerson, stampPerson } from './person-record.ts';
import { type PatientSaid, readPatient } from './pid.ts';
import { mergeEncounter, readEncounter, readVisitIdentifiers } from './pv1.ts';
import { type Reading, requireSegment } from './reading.ts';

/** Records of people that are one. */
export interface PersonMerge {
  /** fullUrl of the draft of the person who stays. */
  readonly survivor: string;
  /** Identifiers of the records that are closed. */
  readonly retired: readonly Draft['match'][];
}

export interface AdtContent {
  readonly drafts: readonly Draft[];
  readonly provenance: Omit<Provenance, 'target'>;
  /** fullUrl of the Encounter draft; absent when the event is not about a visit. */
  readonly encounter?: string;
  readonly merges: readonly PersonMerge[];
  /** Of the facility, whose days the dates are; absent when it is not known. */
  readonly zone?: string;
  /** Messages about the same patient are applied one after the other: they share one of these. */
  readonly patientKeys: readonly string[];
}

/** @throws Refusal AE 100 | 101 | 102 */
export function readAdt(reading: Reading): AdtContent {
  const { message, drafts, header } = reading;
  const rule = ruleOf(header.trigger);
  requireSegment(message, 'PID');
  const isMerge = rule.joins === 'persons';
  // Which of two patients or visits an event is about nobody can tell.
  for (const name of isMerge ? [] : ['PID', 'PV1']) {
    if (message.segments(name).length > 1) {
      throw new Refusal('AE', '100', `The message has more than one ${name} segment.`, `${name}^2`);
    }
  }
  const persons = message.segments('PID').slice(0, isMerge ? undefined : 1);
  const merged = isMerge ? persons.map((_, index) => readMergedPersons(reading, index, persons.length)) : [];
  const subjects = persons.map((pid, index) => draftPerson(pid, reading, merged[index] ?? []));
  const [first] = subjects;
  if (!first) throw new Refusal('AE', '100', 'The message has no PID segment.', 'PID');
  const { subject, key } = first;
  draftRelatedPersons(reading, subject, key);
  draftCoverages(reading, subject, key);
  if (rule.allergies) draftAllergies(reading, subject, key);
  const encounter = rule.visit === 'none' ? undefined : draftVisit(reading, subject);
  return {
    provenance: readProvenance(reading),
    drafts: drafts.all,
    ...(encounter ? { encounter } : {}),
    zone: reading.facility.zone,
    merges: subjects.flatMap(({ subject, formerly }) =>
      formerly.length > 0 ? [{ survivor: subject.reference ?? '', retired: formerly }] : [],
    ),
    patientKeys: subjects.flatMap(({ key, formerly }) => [key, ...formerly].map(keyText)),
  };
}

interface Person extends Pick<PatientSaid, 'key'> {
  readonly subject: Reference<Patient>;
  readonly formerly: readonly Identified[];
}

function draftPerson(pid: Segment, reading: Reading, formerly: readonly Identified[]): Person {
  const { drafts } = reading;
  const said = readPatient(pid, reading, formerly.length > 0);
  const contact = readContacts(reading);
  const whole: Patient = {
    ...said.patient,
    ...readGeneralPractitioners(reading),
    ...(contact.length > 0 ? { contact } : {}),
  };
  const { removes = false } = ruleOf(reading.header.trigger);
  const fresh = stampPerson(whole, reading.eventTime, removes, formerly, said.cleared);
  const subject = drafts.add(fresh, said.key, joinPerson(reading.eventTime, said.cleared), formerly);
  return { subject, key: said.key, formerly };
}

/** The fullUrl of the Encounter; undefined when the event does not have to name a visit and does not. */
function draftVisit(reading: Reading, subject: Reference<Patient>): string | undefined {
  const { message, drafts, header, facility } = reading;
  const { visit: needed, joins } = ruleOf(header.trigger);
  const pv1 = needed === 'required' ? requireSegment(message, 'PV1') : message.segment('PV1');
  if (!pv1 || (needed === 'if-named' && readVisitIdentifiers(message, pv1, facility.code).length === 0)) return;
  const [visit, ...others] = readVisitIdentifiers(message, pv1, facility.code);
  if (!visit) throw new Refusal('AE', '101', 'PV1-19 must hold the visit number.', pv1.at(19));
  const { formerly, accounts } = joins === 'visits' || message.segment('MRG') ? readMergedVisits(reading) : NO_VISITS;
  // The encounter and its diagnoses point at each other.
  const place = drafts.refer<Encounter>('Encounter', visit);
  const diagnosis = draftDiagnoses(reading, subject, place, visit);
  const identifier = [
    visit,
    ...others,
    ...[...formerly, ...accounts].filter((old) => !isAmong([visit, ...others], old)),
  ];
  const fresh = readEncounter(pv1, reading, subject, diagnosis, identifier);
  drafts.add(fresh, visit, mergeEncounter(reading.eventTime, reading.facility.zone), formerly);
  return place.reference;
}

const NO_VISITS = { formerly: [], accounts: [] };

const keyText = ({ system, value }: Draft['match']) => JSON.stringify([system, value]);

const isAmong = (all: readonly Identified[], one: Identified) => all.some((other) => keyText(other) === keyText(one));
