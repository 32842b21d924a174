// Whether a patient has died: the newest word about it counts, whatever newer messages say of other things.
import type { Patient } from '@medplum/fhirtypes';
import { instantOf, withInstant } from '../../fhir/event-time.ts';
import { DEATH_TOLD } from './systems.ts';

/**
 * The Patient of one message, with the time of its word about a death if it has one.
 * @param cleared elements that the message wants emptied
 */
export function stampDeath(patient: Patient, eventTime: Temporal.Instant, cleared: readonly string[]): Patient {
  const { deceasedBoolean, deceasedDateTime } = patient;
  const isTold = deceasedBoolean !== undefined || deceasedDateTime !== undefined || cleared.includes('deceasedBoolean');
  return isTold ? { ...patient, extension: withInstant(patient, DEATH_TOLD, eventTime) } : patient;
}

/** `merged` with what was said last of a death, where both say when they heard of it. */
export function joinDeath(merged: Patient, stored: Patient, fresh: Patient): Patient {
  const [known, told] = [instantOf(stored, DEATH_TOLD), instantOf(fresh, DEATH_TOLD)];
  if (!known || !told) return merged;
  const isNews = Temporal.Instant.compare(told, known) >= 0;
  const { deceasedBoolean: _boolean, deceasedDateTime: _time, ...rest } = merged;
  const { deceasedBoolean, deceasedDateTime } = isNews ? fresh : stored;
  return {
    ...rest,
    extension: withInstant(merged, DEATH_TOLD, isNews ? told : known),
    ...(deceasedBoolean === undefined ? {} : { deceasedBoolean }),
    ...(deceasedDateTime === undefined ? {} : { deceasedDateTime }),
  };
}
