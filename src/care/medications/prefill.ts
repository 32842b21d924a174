// What is stored of a patient's medication, as the three lists a reconciliation begins with: a proposal that a nurse checks.
import type { Encounter, MedicationRequest, MedicationStatement, Period } from '@medplum/fhirtypes';
import { hasCode } from '../concept.ts';
import { findReadable } from '../find-readable.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { PARTIAL_HOSPITALIZATION } from '../transition/discharge.ts';
import { isSameMedication, type ListKind } from './compare-lists.ts';
import { takenOf } from './medication-line.ts';
import { medicationOf, type Source } from './medication-list.ts';

const REQUEST_CATEGORY = 'http://terminology.hl7.org/CodeSystem/medicationrequest-category';
const STAYS = new Set(['IMP', 'ACUTE', 'NONAC', 'OBSENC', PARTIAL_HOSPITALIZATION]);
const ORDERS = new Set<MedicationRequest['intent']>([
  'order',
  'original-order',
  'instance-order',
  'reflex-order',
  'plan',
]);

/** The stay that a reconciliation is about. */
export interface Stay {
  readonly id: string;
  readonly start: Temporal.Instant;
  readonly end?: Temporal.Instant | undefined;
}

/** The last admission that has begun. */
export function lastStay(encounters: readonly Kept<'Encounter'>[], { now, zone }: Caller): Stay | undefined {
  return encounters
    .filter(
      ({ status, class: kind }) => STAYS.has(kind.code ?? '') && (status === 'finished' || status === 'in-progress'),
    )
    .flatMap((encounter) => stayOf(encounter, zone) ?? [])
    .filter(({ start }) => Temporal.Instant.compare(start, now) <= 0)
    .sort((a, b) => Temporal.Instant.compare(b.start, a.start))
    .at(0);
}

function stayOf({ id, period }: Encounter & { id: string }, zone: string): Stay | undefined {
  if (!period?.start) return undefined;
  return { id, start: toInstant(period.start, zone), end: period.end ? toInstant(period.end, zone) : undefined };
}

/** What each list begins with. Without a stay only what is taken now is known. */
export async function prefill(records: Records, patient: string, caller: Caller): Promise<Record<ListKind, Source[]>> {
  const search = { patient, _sort: '_lastUpdated' };
  const [encounters, statements, requests] = await Promise.all([
    findReadable(records, 'Encounter', { patient }),
    findReadable(records, 'MedicationStatement', search),
    findReadable(records, 'MedicationRequest', search),
  ]);
  const { now, zone } = caller;
  const stay = lastStay(encounters, caller);
  const activeAt = (at: Temporal.Instant, isNow: boolean) => [
    ...statements.filter((one) => isTaken(one, at, isNow, zone)),
    ...requests.filter((one) => !isOfStay(one, stay) && isInForce(one, at, isNow, zone)),
  ];
  const prescribed = stay?.end ? requests.filter((one) => isDischarge(one, stay, zone)) : [];
  // Where no discharge prescriptions are stored, the last day's doses are the next best thing.
  const given = stay?.end && prescribed.length === 0 ? await lastDay(records, patient, stay.end) : [];
  return {
    'before-admission': stay ? await sourcesOf(records, activeAt(stay.start, false)) : [],
    'at-discharge': await sourcesOf(records, [...prescribed, ...given]),
    current: await sourcesOf(records, activeAt(now, true)),
  };
}

type Found = Source['resource'];

/** Of a prescription and a statement of one medication the statement; of several doses of one medication the last. */
async function sourcesOf(records: Records, found: readonly Found[]): Promise<Source[]> {
  const all = await Promise.all(
    found.map(async (resource) => ({ resource, medication: await medicationOf(records, resource) })),
  );
  const taken = all.map(({ resource, medication }) => takenOf(resource, resource.id, medication));
  const rank = ({ resource }: Source) => RANK[resource.resourceType];
  return all.filter((one, at) => {
    const mine = taken[at];
    return !all.some((other, place) => {
      const theirs = taken[place];
      if (place === at || !mine || !theirs || !isSameMedication(mine, theirs)) return false;
      const isDose = one.resource.resourceType === 'MedicationAdministration' && rank(other) === rank(one);
      return rank(other) < rank(one) || (isDose && place > at);
    });
  });
}

const RANK = {
  MedicationStatement: 0,
  MedicationRequest: 1,
  MedicationDispense: 2,
  MedicationAdministration: 3,
} as const;

function isTaken(one: MedicationStatement, at: Temporal.Instant, isNow: boolean, zone: string): boolean {
  const { status, effectivePeriod, effectiveDateTime } = one;
  if (status !== 'active' && status !== 'completed' && status !== 'stopped') return false;
  if (effectivePeriod)
    return covers(effectivePeriod, at, zone) && (status === 'active' || effectivePeriod.end !== undefined);
  if (status !== 'active') return false;
  const since = effectiveDateTime ?? (isNow ? undefined : one.dateAsserted);
  return since === undefined ? isNow : Temporal.Instant.compare(toInstant(since, zone), at) <= 0;
}

function isInForce(one: MedicationRequest, at: Temporal.Instant, isNow: boolean, zone: string): boolean {
  const { status, intent, authoredOn, dispenseRequest, doNotPerform } = one;
  if (!ORDERS.has(intent) || doNotPerform) return false;
  const { end } = dispenseRequest?.validityPeriod ?? {};
  if (status !== 'active' && !((status === 'completed' || status === 'stopped') && end !== undefined)) return false;
  if (authoredOn === undefined) return isNow && status === 'active';
  return covers({ start: authoredOn, ...(end ? { end } : {}) }, at, zone);
}

function isOfStay({ encounter, category }: MedicationRequest, stay: Stay | undefined): boolean {
  if (category?.some((one) => hasCode(one, REQUEST_CATEGORY, 'inpatient'))) return true;
  const isDischargeOrder = category?.some((one) => hasCode(one, REQUEST_CATEGORY, 'discharge')) ?? false;
  return stay !== undefined && !isDischargeOrder && encounter?.reference === `Encounter/${stay.id}`;
}

function isDischarge(
  { encounter, category, authoredOn, intent, status }: MedicationRequest,
  stay: Stay,
  zone: string,
): boolean {
  if (!ORDERS.has(intent) || status === 'entered-in-error' || status === 'cancelled' || status === 'draft')
    return false;
  if (!category?.some((one) => hasCode(one, REQUEST_CATEGORY, 'discharge'))) return false;
  if (encounter?.reference) return encounter.reference === `Encounter/${stay.id}`;
  const until = stay.end?.add({ hours: 24 });
  return authoredOn !== undefined && covers(periodOf(stay.start, until), toInstant(authoredOn, zone), zone);
}

/** Doses given in the last day of the stay: of a whole stay there can be thousands. */
function lastDay(
  records: Records,
  patient: string,
  end: Temporal.Instant,
): Promise<Kept<'MedicationAdministration'>[]> {
  const between = [`ge${end.subtract({ hours: 24 })}`, `le${end}`];
  return findReadable(records, 'MedicationAdministration', { patient, status: 'completed', 'effective-time': between });
}

const periodOf = (start: Temporal.Instant, end?: Temporal.Instant): Period => ({
  start: start.toString(),
  ...(end ? { end: end.toString() } : {}),
});

function covers({ start, end }: Period, at: Temporal.Instant, zone: string): boolean {
  if (start && Temporal.Instant.compare(toInstant(start, zone), at) > 0) return false;
  return !end || Temporal.Instant.compare(toLastInstant(end, zone), at) >= 0;
}
