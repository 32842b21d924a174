// Whether a patient has died: the newest word about it counts, whatever newer messages say of other things.
import type { Patient } from '@medplum/fhirtypes';
import { instantOf, withInstant, withoutInstant } from '../../fhir/event-time.ts';
import { DEATH_TOLD } from './systems.ts';

/**
 * The Patient of one message, with the time of its word about a death if it has one.
 * @param cleared elements that the message wants emptied
 */
export function stampDeath(patient: Patient, eventTime: Temporal.Instant, cleared: readonly string[]): Patient {
  const isTold = isSaid(patient) || cleared.includes('deceasedBoolean');
  return isTold ? { ...patient, extension: withInstant(patient, DEATH_TOLD, eventTime) } : patient;
}

/**
 * `merged` with the newer of two words about a death.
 * @param isNewer `other` is the newer one as a whole: it counts where nobody knows when `stored` heard its own word
 */
export function joinDeath(merged: Patient, stored: Patient, other: Patient, isNewer = false): Patient {
  const [known, told] = [instantOf(stored, DEATH_TOLD), instantOf(other, DEATH_TOLD)];
  if (!told) return merged;
  const isNews = known ? Temporal.Instant.compare(told, known) >= 0 : isNewer || !isSaid(stored);
  return withDeathOf(merged, isNews ? other : stored);
}

const isSaid = ({ deceasedBoolean, deceasedDateTime }: Patient) =>
  deceasedBoolean !== undefined || deceasedDateTime !== undefined;

function withDeathOf(patient: Patient, { deceasedBoolean, deceasedDateTime, extension }: Patient): Patient {
  const { deceasedBoolean: _boolean, deceasedDateTime: _time, ...rest } = patient;
  const told = instantOf({ extension: extension ?? [] }, DEATH_TOLD);
  return {
    ...(told ? { ...rest, extension: withInstant(rest, DEATH_TOLD, told) } : withoutInstant(rest, DEATH_TOLD)),
    ...(deceasedBoolean === undefined ? {} : { deceasedBoolean }),
    ...(deceasedDateTime === undefined ? {} : { deceasedDateTime }),
  };
}
