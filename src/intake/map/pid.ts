// PID -> Patient. https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-pid-to-patient.html
import type { CodeableConcept, Extension, Patient } from '@medplum/fhirtypes';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import type { Segment } from '../er7/message.ts';
import { readDate, readDateTime } from '../er7/timestamp.ts';
import { Refusal } from '../refusal.ts';
import { lookUpCoding } from '../tables.ts';
import { systemUri } from './coded.ts';
import { type Identified, readIdentifier } from './identifier.ts';
import { filled, present, readAddress, readGender, readLanguage, readName, readTelecom } from './person.ts';
import type { Reading } from './reading.ts';

export interface PatientSaid {
  readonly patient: Patient;
  /** The identifier the patient is recognised by: the medical record number, else PI, else the first of PID-3. */
  readonly key: Identified;
  /** Elements the sender wants emptied (HL7 null `""`). */
  readonly cleared: readonly (keyof Patient)[];
}

/**
 * @param nameless true for an event that is about identifiers: then a name is not asked for
 * @throws Refusal AE 101 without an identifier or name, 102 impossible date
 */
export function readPatient(pid: Segment, { facility }: Reading, nameless = false): PatientSaid {
  const identifier = pid.all(3).flatMap((field) => readIdentifier(field, facility.code) ?? []);
  const ofType = (code: string) => identifier.find((one) => one.type?.coding?.[0]?.code === code);
  const key = ofType('MR') ?? ofType('PI') ?? identifier[0];
  if (!key) throw new Refusal('AE', '101', 'PID-3 must hold an identifier of the patient.', pid.at(3));
  const name = filled(pid.all(5).map((field) => readName(field)));
  if (!name && !nameless) throw new Refusal('AE', '101', 'PID-5 must hold a name of the patient.', pid.at(5));
  const patient: Patient = {
    resourceType: 'Patient',
    identifier,
    active: true,
    ...present({
      name,
      extension: [...race(pid), ...ethnicity(pid)],
      telecom: filled([
        ...pid.all(13).map((field) => readTelecom(field, 'home')),
        ...pid.all(14).map((field) => readTelecom(field, 'work')),
        ...pid.all(40).map((field) => readTelecom(field)),
      ]),
      gender: readGender(pid, 8),
      birthDate: readDate(pid, 7),
      address: filled(pid.all(11).map(readAddress)),
      maritalStatus: maritalStatus(pid),
      communication: filled(pid.all(15).map(readLanguage)),
    }),
    ...deceased(pid, facility.zone),
    ...multipleBirth(pid),
  };
  return { patient, key, cleared: clearedElements(pid) };
}

const CLEARABLE: readonly (readonly [field: number, ...elements: (keyof Patient)[]])[] = [
  [7, 'birthDate'],
  [8, 'gender'],
  [11, 'address'],
  [13, 'telecom'],
  [15, 'communication'],
  [16, 'maritalStatus'],
  [24, 'multipleBirthBoolean', 'multipleBirthInteger'],
  [29, 'deceasedDateTime'],
  [30, 'deceasedBoolean', 'deceasedDateTime'],
];

function clearedElements(pid: Segment): (keyof Patient)[] {
  return CLEARABLE.filter(([field]) => pid.isNull(field)).flatMap(([, ...elements]) => elements);
}

function maritalStatus(pid: Segment): CodeableConcept | undefined {
  const field = pid.first(16);
  const mapped = lookUpCoding('maritalStatus', field.get(1));
  const text = field.get(2) || mapped?.display || field.get(1);
  return present({ coding: filled([mapped]), text });
}

function deceased(pid: Segment, zone: string): Pick<Patient, 'deceasedBoolean' | 'deceasedDateTime'> {
  const at = readDateTime(pid, 29, zone);
  if (at) return { deceasedDateTime: at };
  const said = pid.text(30);
  return said === 'Y' || said === 'N' ? { deceasedBoolean: said === 'Y' } : {};
}

function multipleBirth(pid: Segment): Pick<Patient, 'multipleBirthBoolean' | 'multipleBirthInteger'> {
  const order = pid.text(25);
  if (pid.text(24) === 'Y') {
    return /^[1-9]\d?$/.test(order) ? { multipleBirthInteger: Number(order) } : { multipleBirthBoolean: true };
  }
  return pid.text(24) === 'N' ? { multipleBirthBoolean: false } : {};
}

/** PID-10 as US Core race: OMB categories apart from detailed codes. */
function race(pid: Segment): Extension[] {
  const fields = pid.all(10);
  const parts = fields.flatMap((field): Extension[] => {
    const omb = lookUpCoding('race', field.get(1));
    if (omb) return [{ url: 'ombCategory', valueCoding: omb }];
    const system = systemUri(field.get(3));
    if (!system?.endsWith('2.16.840.1.113883.6.238')) return [];
    return [{ url: 'detailed', valueCoding: { system, code: field.get(1), display: field.get(2) || field.get(1) } }];
  });
  const text = fields.map((field) => field.get(2) || field.get(1)).join(', ');
  return text
    ? [
        {
          url: profileUrl('usCore', 'us-core-race'),
          extension: [...parts.slice(0, 5), { url: 'text', valueString: text }],
        },
      ]
    : [];
}

/** PID-22 as US Core ethnicity. */
function ethnicity(pid: Segment): Extension[] {
  const field = pid.first(22);
  const omb = lookUpCoding('ethnicGroup', field.get(1));
  const text = field.get(2) || omb?.display || field.get(1);
  if (!text) return [];
  const category: Extension[] = omb ? [{ url: 'ombCategory', valueCoding: omb }] : [];
  return [
    { url: profileUrl('usCore', 'us-core-ethnicity'), extension: [...category, { url: 'text', valueString: text }] },
  ];
}
