// What a telling looks like at the door: an ER7 message, or a FHIR resource.
import type {
  CareTeam,
  CareTeamParticipant,
  Condition,
  Encounter,
  EpisodeOfCare,
  Patient,
  Resource,
} from '@medplum/fhirtypes';
import { placeOf } from './places.ts';
import type { Merge, Message, Person, Put, ToldEnd } from './story.ts';

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const NUBC = 'https://www.nubc.org/CodeSystem/PatDischargeStatus';
const ADMISSION_TYPE = 'http://terminology.hl7.org/CodeSystem/v2-0007';
export const PATIENT_SYSTEM = 'urn:oid:2.16.840.1.113883.19.77';
export const VISIT_SYSTEM = 'urn:oid:2.16.840.1.113883.19.78';

/** The message as its sender writes it: mostly on the facility's wall clock without offset. */
export function writeMessage(message: Message, person: Person): string {
  const { visit, trigger, controlId, recorded, occurred, end, disposition, died } = message;
  const { zone, code } = placeOf(visit.place);
  const when = (seconds: number) => writeTime(seconds, zone, hasOffset(message));
  const pid = identify(visit.alias ?? person.id, person);
  if (died !== undefined) pid[30] = died ? 'Y' : 'N';
  const pv1: string[] = ['PV1', '1', visit.patientClass, 'W1^1^1'];
  pv1[4] = visit.admissionType;
  pv1[19] = `${visit.id}^^^${code}&2.16.840.1.113883.19.78&ISO^VN`;
  if (disposition && trigger !== 'A13' && trigger !== 'A11') pv1[36] = disposition;
  pv1[44] = when(visit.start);
  if (end) pv1[45] = 'day' in end ? end.day.replaceAll('-', '') : when(end.at);
  const segments = [
    [
      'MSH',
      '^~\\&',
      'ADT',
      code,
      'BATON',
      'CM',
      writeTime(recorded + 1, zone, true),
      '',
      `ADT^${trigger}`,
      controlId,
      'P',
      '2.5.1',
    ],
    ['EVN', trigger, when(recorded), '', '', '', occurred === undefined ? '' : when(occurred)],
    pid,
    pv1,
    ...(trigger === 'A11' || trigger === 'A13'
      ? []
      : person.conditions.map((icd, n) => ['DG1', `${n + 1}`, '', `${icd}^Condition^I10`, '', '', 'F'])),
  ];
  return join(segments);
}

export function writeMerge({ place, controlId, recorded, alias, patient }: Merge, person: Person): string {
  const { zone } = placeOf(place);
  const when = writeTime(recorded, zone, true);
  return join([
    ['MSH', '^~\\&', 'ADT', place, 'BATON', 'CM', when, '', 'ADT^A40', controlId, 'P', '2.5.1'],
    ['EVN', 'A40', when],
    identify(patient, person),
    ['MRG', number(alias)],
  ]);
}

const number = (id: string) => `${id}^^^REGION&2.16.840.1.113883.19.77&ISO^MR`;

function identify(id: string, person: Person): string[] {
  return ['PID', '1', '', number(id), '', `Test^${person.id}`, '', `${person.birthYear}0704`, 'F'];
}

function join(segments: readonly string[][]): string {
  return segments.map((fields) => `${Array.from(fields, (field) => field ?? '').join('|')}\r`).join('');
}

/** Some senders say which offset they mean. */
const hasOffset = ({ visit, recorded }: Message) => (recorded + visit.id.length) % 5 === 0;

function writeTime(seconds: number, zone: string, offset: boolean): string {
  const moment = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(zone);
  const plain = moment.toPlainDateTime();
  const text = plain.toString({ smallestUnit: 'second' }).replaceAll(/[-T:]/g, '');
  // In the hour that autumn repeats only an offset says which of the two it was.
  const ambiguous = plain.toZonedDateTime(zone, { disambiguation: 'earlier' }).epochMilliseconds !== seconds * 1000;
  return offset || ambiguous ? text + moment.offset.replace(':', '') : text;
}

const fhirTime = (seconds: number, zone: string) =>
  Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
    .toZonedDateTimeISO(zone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });

const fhirEnd = (end: ToldEnd, zone: string) => ('day' in end ? end.day : fhirTime(end.at, zone));

export function writeEncounter({ visit, status, end, disposition }: Put): Encounter {
  const { zone } = placeOf(visit.place);
  return {
    resourceType: 'Encounter',
    id: visit.id,
    identifier: [{ system: VISIT_SYSTEM, value: visit.id }],
    status,
    class: { system: ACT_CODE, code: 'IMP' },
    type: [{ coding: [{ system: ADMISSION_TYPE, code: visit.admissionType }], text: 'Admission' }],
    subject: { reference: `Patient/${visit.patient}` },
    serviceProvider: { reference: `Organization/${visit.place}` },
    period: { start: fhirTime(visit.start, zone), ...(end ? { end: fhirEnd(end, zone) } : {}) },
    ...(disposition
      ? { hospitalization: { dischargeDisposition: { coding: [{ system: NUBC, code: disposition }] } } }
      : {}),
  };
}

export function writePatient(person: Person, died = false): Patient {
  return {
    resourceType: 'Patient',
    id: person.id,
    identifier: [{ system: PATIENT_SYSTEM, value: person.id }],
    name: [{ family: 'Test', given: [person.id] }],
    gender: 'female',
    birthDate: `${person.birthYear}-07-04`,
    ...(died ? { deceasedBoolean: true } : {}),
  };
}

/** What a patient who is told of by FHIR needs before the first visit. */
export function writeRecord(person: Person): Resource[] {
  const conditions = person.conditions.map(
    (code): Condition => ({
      resourceType: 'Condition',
      id: `${person.id}-${code.replace('.', '-')}`,
      subject: { reference: `Patient/${person.id}` },
      code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }] },
      clinicalStatus: {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
      },
      category: [
        { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-category', code: 'problem-list-item' }] },
      ],
    }),
  );
  return [writePatient(person), ...conditions, ...writeStaff(person)];
}

const TEAM_DUTY = 'https://baton.health/fhir/StructureDefinition/team-duty';

/** The case and the team of a patient who has one. */
function writeStaff({ id, staff }: Person): (CareTeam | EpisodeOfCare)[] {
  if (!staff) return [];
  const { manager, backup, supervisor, lastDay, nextSupervisor } = staff;
  const patient = { reference: `Patient/${id}` };
  const member = (who: string, duty: string, period?: { start?: string; end?: string }): CareTeamParticipant => ({
    extension: [{ url: TEAM_DUTY, valueCode: duty }],
    member: { reference: `Practitioner/${who}` },
    ...(period ? { period } : {}),
  });
  const next = Temporal.PlainDate.from(lastDay).add({ days: 1 }).toString();
  const participant = [
    member(backup, 'backup'),
    member(supervisor, 'supervisor', { end: lastDay }),
    member(nextSupervisor, 'supervisor', { start: next }),
  ];
  return [
    { resourceType: 'CareTeam', id: `${id}-team`, status: 'active', subject: patient, participant },
    ...(manager ? [writeCase(id, manager)] : []),
  ];
}

export const CASE_SUFFIX = '-case';

const writeCase = (id: string, manager: string): EpisodeOfCare => ({
  resourceType: 'EpisodeOfCare',
  id: id + CASE_SUFFIX,
  status: 'active',
  patient: { reference: `Patient/${id}` },
  careManager: { reference: `Practitioner/${manager}` },
});
