// What an Encounter says about a stay: whether it is a hospital stay, whether and when the patient left, and where to.
import type { CodeableConcept, ConceptMap, Encounter, ValueSet } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import { MAPS } from '../systems.ts';
import { createCodeReader } from './mapped-code.ts';

/** Codes of CodeSystem discharge-destination; others may be added there. */
export type Destination = string;

const UNKNOWN: Destination = 'unknown';

/** Inpatient, observation and short stays: what a transition begins from. v3-ActCode, plus HL7 v2 obstetrics. */
const STAY_CLASSES = new Set(['IMP', 'ACUTE', 'NONAC', 'OBSENC', 'SS', 'B']);

export function isStay(encounter: Encounter): boolean {
  return STAY_CLASSES.has(encounter.class.code ?? '');
}

/** A stay in a facility that is no acute hospital: skilled nursing, and whatever else is coded so. */
export function isNonAcute(encounter: Encounter): boolean {
  return encounter.class.code === 'NONAC';
}

/**
 * Day treatment for mental illness instead of a stay: its end is a discharge, while it lasts the patient is at home.
 * v3-ActCode has no class for it, so that it is CodeSystem stay-class's.
 */
export function isPartialHospitalization(encounter: Encounter): boolean {
  return encounter.class.code === PARTIAL_HOSPITALIZATION;
}

/** CodeSystem stay-class. */
export const PARTIAL_HOSPITALIZATION = 'partial-hospitalization';

/** The patient is in, as far as the encounter knows. */
export function isInHouse(encounter: Encounter): boolean {
  return isStay(encounter) && (encounter.status === 'in-progress' || encounter.status === 'onleave');
}

/** The stay, or the partial hospitalization, has ended. */
export function isDischarged(encounter: Encounter): boolean {
  return (isStay(encounter) || isPartialHospitalization(encounter)) && encounter.status === 'finished';
}

/** A visit of the emergency department that has ended; only protocols that name it begin from one. */
export function isEmergencyDischarge(encounter: Encounter): boolean {
  return isEmergency(encounter) && encounter.status === 'finished';
}

export function isEmergency(encounter: Encounter): boolean {
  return encounter.class.code === EMERGENCY;
}

/** v3-ActCode. */
export const EMERGENCY = 'EMER';

/** Clocks of those who tell of a discharge may be wrong by that much; HL7 v2 and notifications are refused beyond (intake/not-ahead-of.ts). */
const MOST_AHEAD = Temporal.Duration.from({ hours: 24 });

/** By more than clocks may be wrong. */
export function isAheadOf(end: Temporal.Instant, told: Temporal.Instant): boolean {
  return Temporal.Instant.compare(end.subtract(MOST_AHEAD), told) > 0;
}

/**
 * When a stay that is over ended, as far as that was told: a day that was still to come then is no word about it.
 * @param zone of an end that has no time
 */
export function toldEnd({ status, period, meta }: Encounter, zone: string): string | undefined {
  const end = status === 'finished' ? period?.end : undefined;
  if (end === undefined || meta?.lastUpdated === undefined) return end;
  // It was told with this version or an earlier one: what is ahead of this one was ahead when it was told.
  return isAheadOf(toInstant(end, zone), toInstant(meta.lastUpdated, 'UTC')) ? undefined : end;
}

/**
 * The last moment of a discharge: one told by its day may have been at the end of it.
 * @param counted when follow-ups count that the patient left
 */
export function leftBy(
  { period }: Pick<Encounter, 'period'>,
  counted: Temporal.Instant,
  zone: string,
): Temporal.Instant {
  const { end } = period ?? {};
  return end !== undefined && toInstant(end, zone).equals(counted) ? toLastInstant(end, zone) : counted;
}

/** Reads the destination of an encounter by ConceptMap discharge-destination. */
export function createDestinationReader(maps: readonly ConceptMap[]): (encounter: Encounter) => Destination {
  const read = createCodeReader(maps, MAPS.destination);
  return ({ hospitalization }) => read(hospitalization?.dischargeDisposition) ?? UNKNOWN;
}

/** Whether an admission was acute; undefined when the encounter says nothing about it. */
export function createAcuityReader(valueSets: readonly ValueSet[]): (encounter: Encounter) => boolean | undefined {
  const valueSet = valueSets.find(({ url }) => url === MAPS.acuteAdmission);
  if (!valueSet) throw new Fault('unprocessable', `profiles/ has no ValueSet ${MAPS.acuteAdmission}.`);
  const include = valueSet.compose?.include ?? [];
  const acute = new Set(
    include.flatMap(({ system, concept }) => (concept ?? []).map(({ code }) => `${system}|${code}`)),
  );
  const systems = new Set(include.map(({ system }) => system));
  return (encounter) => {
    const codings = admissionConcepts(encounter).flatMap(({ coding }) => coding ?? []);
    const telling = codings.filter(({ system }) => systems.has(system));
    if (telling.length === 0) return undefined;
    return telling.some(({ system, code }) => acute.has(`${system}|${code}`));
  };
}

function admissionConcepts({ type, priority, hospitalization }: Encounter): CodeableConcept[] {
  return [...(type ?? []), priority, hospitalization?.admitSource].filter((concept) => concept !== undefined);
}
