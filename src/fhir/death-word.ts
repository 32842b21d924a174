// Whether a patient has died: the newest word about it counts, whatever newer ones say of other things.
import type { Patient } from '@medplum/fhirtypes';
import { instantOf, withInstant, withoutInstant } from './event-time.ts';

/** On Patient: when it was said last whether the patient has died, and what. A word that is another by now is somebody else's. */
export const DEATH_TOLD = 'https://baton.health/fhir/StructureDefinition/death-told';
const DEATH_WORD = 'https://baton.health/fhir/StructureDefinition/death-word';
const NOTHING = 'nothing';

/** The Patient with its word about a death, told then; also when that word is that nothing is known. */
export function stampDeath(patient: Patient, at: Temporal.Instant): Patient {
  const others = patient.extension?.filter(({ url }) => url !== DEATH_WORD) ?? [];
  const word = { url: DEATH_WORD, valueString: wordOf(patient) };
  return { ...patient, extension: withInstant({ extension: [...others, word] }, DEATH_TOLD, at) };
}

export function saysOfDeath(patient: Patient): boolean {
  return wordOf(patient) !== NOTHING;
}

/**
 * `merged` with the newer of two words about a death. One of which nobody knows when it was said gives way to none but a newer
 * record's, and fills in where nothing is said.
 * @param isNewer `other` is the newer one as a whole
 */
export function joinDeath(merged: Patient, stored: Patient, other: Patient, isNewer = false): Patient {
  const [known, told] = [toldAt(stored), toldAt(other)];
  if (!told) return known || saysOfDeath(stored) || !saysOfDeath(other) ? merged : withDeathOf(merged, other);
  const isNews = known ? Temporal.Instant.compare(told, known) >= 0 : isNewer || !saysOfDeath(stored);
  return withDeathOf(merged, isNews ? other : stored);
}

const wordOf = ({ deceasedDateTime, deceasedBoolean }: Patient) =>
  deceasedDateTime ?? (deceasedBoolean === undefined ? NOTHING : String(deceasedBoolean));

function toldAt(patient: Patient): Temporal.Instant | undefined {
  const word = patient.extension?.find(({ url }) => url === DEATH_WORD)?.valueString;
  return word === wordOf(patient) ? instantOf(patient, DEATH_TOLD) : undefined;
}

function withDeathOf(patient: Patient, from: Patient): Patient {
  const { deceasedBoolean: _boolean, deceasedDateTime: _time, ...rest } = patient;
  const { deceasedBoolean, deceasedDateTime } = from;
  const said: Patient = {
    ...withoutInstant(withoutInstant(rest, DEATH_TOLD), DEATH_WORD),
    ...(deceasedBoolean === undefined ? {} : { deceasedBoolean }),
    ...(deceasedDateTime === undefined ? {} : { deceasedDateTime }),
  };
  const told = toldAt(from);
  return told ? stampDeath(said, told) : said;
}
