// When the patient left, as far as all of the patient's stays tell. A discharge that does not say when is counted from when it was
// told, which may be years too late (an import); but who was admitted again had left before. Only so can two stays be put in order.
import type { Encounter } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../care/local-time.ts';
import { findResources } from '../care/stored.ts';
import { isDischarged, isStay } from '../care/transition/discharge.ts';
import type { Store } from '../store/store.ts';
import { type Counted, countedDischarge } from './counted-discharge.ts';

export interface KnownBy {
  readonly zone: string;
  /** What the stay's transition under way is counted from. */
  readonly kept?: Temporal.Instant | undefined;
  /** Id of an encounter that does not count. */
  readonly voided?: string | undefined;
}

/**
 * The discharge as it was told; else when it was told to be over, or the next admission when that came before.
 * @param encounter as it is stored, finished
 */
export async function knownDischarge(store: Store, encounter: Encounter, by: KnownBy): Promise<Temporal.Instant> {
  return boundByOthers(store, encounter, await countedDischarge(store, encounter, by.zone, by.kept), by);
}

/** @param counted when the patient left, by the encounter alone */
export async function boundByOthers(
  store: Store,
  encounter: Encounter,
  { at, basis, inUntil }: Counted,
  { zone, voided }: Omit<KnownBy, 'kept'>,
): Promise<Temporal.Instant> {
  const { period } = encounter;
  if (basis === 'told' || !period?.start) return at;
  const began = toInstant(period.start, zone);
  const stays = await staysSince(store, encounter.subject?.reference, began);
  const admissions = stays
    .filter(({ id }) => id !== encounter.id && id !== voided)
    .filter((stay) => !isOverBy(stay, inUntil, zone))
    // A discharge is mostly recorded at once: rather that than a record which was perhaps never closed.
    .filter(({ status }) => basis === 'heard' || status === 'finished')
    .flatMap((stay) => (stay.period?.start ? [toInstant(stay.period.start, zone)] : []))
    .filter((admission) => Temporal.Instant.compare(admission, began) > 0);
  return [at, ...admissions].toSorted(Temporal.Instant.compare)[0] ?? at;
}

/** To put stays in order: who left on a day of which no time is told had come before. */
export function afterAdmission({ period }: Pick<Encounter, 'period'>, left: Temporal.Instant): Temporal.Instant {
  const { start, end } = period ?? {};
  if (!start?.includes('T') || !end || end.includes('T')) return left;
  const came = Temporal.Instant.from(start);
  return Temporal.Instant.compare(came, left) < 0 ? left : came.add({ seconds: 1 });
}

/** The patient's stays that are not over before `since`, by admission, without those that are called off. */
export async function staysSince(
  store: Store,
  patient: string | undefined,
  since: Temporal.Instant,
): Promise<Encounter[]> {
  if (!patient) return [];
  const stays = await findResources(store, 'Encounter', {
    patient,
    status: 'in-progress,onleave,finished',
    date: `ge${since.toString({ smallestUnit: 'second' })}`,
  });
  return stays.filter((stay) => isStay(stay) || isDischarged(stay)).toSorted((a, b) => beganAt(a) - beganAt(b));
}

const beganAt = ({ period }: Encounter) =>
  period?.start ? toInstant(period.start, 'UTC').epochMilliseconds : Number.NEGATIVE_INFINITY;

/** A stay that was over while the patient was still said to be in elsewhere (a procedure at another hospital) was not the next one. */
function isOverBy({ status, period }: Encounter, inUntil: Temporal.Instant | undefined, zone: string): boolean {
  if (!inUntil || status !== 'finished' || !period?.end) return false;
  return Temporal.Instant.compare(toLastInstant(period.end, zone), inUntil) <= 0;
}
