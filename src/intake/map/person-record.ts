// The record of a person: whether the sender still keeps it, and which of its numbers are old.
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { joinDeath, saysOfDeath, stampDeath } from '../../fhir/death-word.ts';
import { instantOf, withInstant } from '../../fhir/event-time.ts';
import type { Identified } from './identifier.ts';
import { isOlder, mergeCarried, stampLatest } from './merge.ts';
import { REMOVED } from './systems.ts';

/**
 * The Patient of one message.
 * @param removed the event deletes the person: the record is closed and stays, because what hangs on it does not end
 * @param formerly numbers that the person no longer has
 * @param cleared elements that the message wants emptied
 */
export function stampPerson(
  patient: Patient,
  eventTime: Temporal.Instant,
  removed: boolean,
  formerly: readonly Identified[],
  cleared: readonly string[],
): Patient {
  const isWord = saysOfDeath(patient) || cleared.includes('deceasedBoolean');
  const stamped = stampLatest(isWord ? stampDeath(patient, eventTime) : patient, eventTime);
  const whole = { ...stamped, identifier: [...(patient.identifier ?? []), ...formerly] };
  return removed ? { ...whole, active: false, extension: withInstant(whole, REMOVED, eventTime) } : whole;
}

/** As any resource of a message joins; who was deleted and appears in a newer event is there again. */
export function joinPerson(
  eventTime: Temporal.Instant,
  cleared: readonly string[],
): (stored: Patient, fresh: Patient) => Patient {
  const carried = mergeCarried(eventTime, cleared);
  return (stored, fresh) => {
    const isNewer = !isOlder(stored, eventTime);
    const joined = carried(stored, fresh);
    // A date of death that is emptied alone is a word, too, when nothing else is said: the patient is taken to live.
    const isTakenBack = isNewer && saysOfDeath(stored) && !saysOfDeath(joined);
    const merged = isTakenBack ? stampDeath(joined, eventTime) : joinDeath(joined, stored, fresh, isNewer);
    const removes = instantOf(fresh, REMOVED) !== undefined;
    if (isNewer && removes) return { ...merged, active: false };
    const extension = merged.extension?.filter(({ url }) => url !== REMOVED);
    const wasRemoved = instantOf(stored, REMOVED) !== undefined;
    if (isNewer && wasRemoved) return current({ ...merged, active: true, ...(extension ? { extension } : {}) }, fresh);
    // An older deletion was overtaken.
    if (!isNewer && removes && !wasRemoved) return { ...merged, ...(extension ? { extension } : {}) };
    return isNewer ? current(merged, fresh) : merged;
  };
}

/** A newer merge or change of numbers says which are in use, whatever an earlier one has said. */
function current(merged: Patient, fresh: Patient): Patient {
  const isMerge = fresh.identifier?.some(({ use }) => use === 'old');
  if (!isMerge) return merged;
  const inUse = fresh.identifier?.filter(({ use }) => use !== 'old') ?? [];
  const same = (one: Identifier, other: Identifier) => one.system === other.system && one.value === other.value;
  const identifier = merged.identifier?.map((one) => inUse.find((other) => same(one, other)) ?? one);
  return { ...merged, ...(identifier ? { identifier } : {}) };
}
