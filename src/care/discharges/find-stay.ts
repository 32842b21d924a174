// Which stay a person means who tells of a discharge.
import type { Encounter } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { sameDay } from '../../fhir/same-day.ts';
import { isStandIn } from '../../fhir/stand-in-end.ts';
import { knownResource } from '../known-resource.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { isEmergency, isPartialHospitalization, isStay } from '../transition/discharge.ts';
import type { TellDischarge } from './discharge-schema.ts';

/**
 * The stay that is named; else the only one that is open, ended on the same day, or whose discharge was recorded since, its time
 * not being told; at the facility as far as one is named.
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
    return requireUsable(named, told.discharged);
  }
  const stays = await records.find('Encounter', { patient: subject.reference, status: 'in-progress,onleave,finished' });
  const meant = stays.filter((stay) => isMeant(stay, told, zone));
  if (meant.length < 2) return meant[0];
  throw refusal('Several stays of the patient could be meant; name the one in encounter.');
}

function isMeant(stay: Encounter, told: TellDischarge, zone: string): boolean {
  const { admitted, discharged, setting, facility, facilityName } = told;
  if (!isOfSetting(stay, setting)) return false;
  const { start, end } = stay.period ?? {};
  const provider = stay.serviceProvider;
  if (facility && provider?.reference !== undefined && provider.reference !== facility.reference) return false;
  if (facilityName !== undefined && provider && provider.display !== facilityName) return false;
  const isOver = stay.status === 'finished';
  if (isOver && end !== undefined && sameDay(end, discharged)) return true;
  if (isOver && !(isStandIn(stay.period) && start !== undefined && isRecordedBy(end, discharged, zone))) return false;
  if (start === undefined) return true;
  const isBefore = Temporal.Instant.compare(toInstant(start, zone), toLastInstant(discharged, zone)) <= 0;
  return isBefore && (admitted === undefined || sameDay(start, admitted));
}

/** A discharge is recorded when it has happened. */
function isRecordedBy(recorded: string | undefined, discharged: string, zone: string): boolean {
  return (
    recorded !== undefined && Temporal.Instant.compare(toInstant(discharged, zone), toInstant(recorded, zone)) <= 0
  );
}

/** Of stays any will do: people call observation an inpatient stay, and the other way round. */
function isOfSetting(stay: Encounter, setting: TellDischarge['setting']): boolean {
  if (setting === 'emergency') return isEmergency(stay);
  return setting === 'partial-hospitalization' ? isPartialHospitalization(stay) : isStay(stay);
}

const VOID: readonly Encounter['status'][] = ['cancelled', 'entered-in-error'];

function requireUsable(stay: Kept<'Encounter'>, discharged: string): Kept<'Encounter'> {
  if (VOID.includes(stay.status)) throw refusal(`The stay is ${stay.status}; name another, or none.`);
  const end = stay.status === 'finished' && !isStandIn(stay.period) ? stay.period?.end : undefined;
  if (end !== undefined && !sameDay(end, discharged)) {
    throw refusal('The stay ended on another day already; correct its discharge instead.');
  }
  return stay;
}

const refusal = (sentence: string) =>
  new Fault('unprocessable', sentence, { expression: 'encounter', code: 'business-rule' });
