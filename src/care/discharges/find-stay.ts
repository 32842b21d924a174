// Which stay a person means who tells of a discharge.
import type { Encounter } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { sameDay } from '../../fhir/same-day.ts';
import { isStandIn } from '../../fhir/stand-in-end.ts';
import { knownResource } from '../known-resource.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { isAheadOf, isEmergency, isPartialHospitalization, isStay, toldEnd } from '../transition/discharge.ts';
import type { TellDischarge } from './discharge-schema.ts';

/**
 * The stay that is named; else the only one that is open, ended on the same day, or is over and does not say since when (of a
 * stand-in, not before that time), at the facility as far as one is named.
 * @param subject `Patient/12`
 * @returns undefined when Baton has not heard of it
 * @throws Fault unprocessable naming `encounter` when several could be meant, or the named one cannot
 */
export async function findStay(
  records: Records,
  subject: { readonly reference: string },
  told: TellDischarge,
  { zone }: Caller,
): Promise<Kept<'Encounter'> | undefined> {
  if (told.encounter) {
    const named = await knownResource(records, { subject }, told.encounter.reference, ['Encounter'], 'encounter');
    return requireUsable(named, told.discharged, zone);
  }
  const stays = await records.find('Encounter', { patient: subject.reference, status: 'in-progress,onleave,finished' });
  const could = stays.filter((stay) => isMeant(stay, told, zone) && !wasOver(stay, stays, told, zone));
  // Beside one that says that day nobody need guess at one that says none.
  const isSaid = could.some((stay) => knownEnd(stay, told, zone) !== undefined);
  const meant = isSaid ? could.filter((stay) => !isSilent(stay, told, zone)) : could;
  if (meant.length < 2) return meant[0];
  throw refusal('Several stays of the patient could be meant; name the one in encounter.');
}

function isMeant(stay: Encounter, told: TellDischarge, zone: string): boolean {
  const { admitted, discharged, setting, facility, facilityName } = told;
  if (!isOfSetting(stay, setting)) return false;
  const start = stay.period?.start;
  const provider = stay.serviceProvider;
  if (facility && provider?.reference !== undefined && provider.reference !== facility.reference) return false;
  if (facilityName !== undefined && provider && provider.display !== facilityName) return false;
  const end = knownEnd(stay, told, zone);
  if (end !== undefined) return sameDay(end, discharged);
  // Of what is over and says neither when it began nor when it ended, any discharge could be the end.
  if (start === undefined) return stay.status !== 'finished';
  const isBefore = Temporal.Instant.compare(toInstant(start, zone), toLastInstant(discharged, zone)) <= 0;
  return isBefore && (admitted === undefined || sameDay(start, admitted));
}

/** Undefined while it goes on, and when nobody has said since when it is over. What was recorded that very day counts as said. */
function knownEnd(stay: Encounter, { discharged }: TellDischarge, zone: string): string | undefined {
  const end = toldEnd(stay, zone);
  return end !== undefined && isStandIn(stay.period) && !sameDay(end, discharged) ? undefined : end;
}

/** It is over, and nobody has said since when. */
const isSilent = (stay: Encounter, told: TellDischarge, zone: string) =>
  stay.status === 'finished' && knownEnd(stay, told, zone) === undefined;

/** Of a silent stay: before that discharge it was told that it is over, or another one began. */
function wasOver(stay: Kept<'Encounter'>, stays: readonly Encounter[], told: TellDischarge, zone: string): boolean {
  if (!isSilent(stay, told, zone)) return false;
  const discharged = toInstant(told.discharged, zone);
  const { start: began = told.discharged, end: recorded } = stay.period ?? {};
  // A discharge is recorded when it has happened.
  const isOver =
    isStandIn(stay.period) && recorded !== undefined
      ? Temporal.Instant.compare(discharged, toInstant(recorded, zone)) > 0
      : isAheadOf(discharged, toInstant(stay.meta.lastUpdated, 'UTC'));
  if (isOver) return true;
  return stays.some((other) => {
    const start = isOfSetting(other, told.setting) ? other.period?.start : undefined;
    if (start === undefined) return false;
    const at = toInstant(start, zone);
    const isLater = Temporal.Instant.compare(at, toInstant(began, zone)) > 0;
    return isLater && Temporal.Instant.compare(at, discharged) <= 0;
  });
}

/** Of stays any will do: people call observation an inpatient stay, and the other way round. */
function isOfSetting(stay: Encounter, setting: TellDischarge['setting']): boolean {
  if (setting === 'emergency') return isEmergency(stay);
  return setting === 'partial-hospitalization' ? isPartialHospitalization(stay) : isStay(stay);
}

const VOID: readonly Encounter['status'][] = ['cancelled', 'entered-in-error'];

function requireUsable(stay: Kept<'Encounter'>, discharged: string, zone: string): Kept<'Encounter'> {
  if (VOID.includes(stay.status)) throw refusal(`The stay is ${stay.status}; name another, or none.`);
  const end = isStandIn(stay.period) ? undefined : toldEnd(stay, zone);
  if (end !== undefined && !sameDay(end, discharged)) {
    throw refusal('The stay ended on another day already; correct its discharge instead.');
  }
  return stay;
}

const refusal = (sentence: string) =>
  new Fault('unprocessable', sentence, { expression: 'encounter', code: 'business-rule' });
