// The Encounter of a visit that somebody told of before the hospital did, and which therefore has no visit number yet.
import type { Encounter } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf } from '../fhir/event-time.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { sameDay } from '../fhir/same-day.ts';
import { isStandIn } from '../fhir/stand-in-end.ts';
import type { Store } from '../store/store.ts';
import { onClock } from './er7/timestamp.ts';
import type { StoredDraft } from './find-stored.ts';
import type { AdtContent } from './map/adt.ts';
import { comesBefore } from './map/comes-before.ts';

/**
 * The one Encounter without any identifier that can only be the visit a message is about: of the same patient, at the same
 * facility as far as both name one, with the same day of discharge (of admission, when the message tells no discharge, or not
 * when; of a stay that does not say when it began, an admission before its end), or not yet discharged. Undefined when the visit
 * is known by its number, and when there is none such or more than one.
 */
export async function findToldStay(
  store: Store,
  { encounter: fullUrl, drafts, zone }: AdtContent,
  stored: ReadonlyMap<string, StoredDraft>,
): Promise<StoredDraft | undefined> {
  if (fullUrl === undefined || stored.has(fullUrl)) return undefined;
  const fresh = drafts.find((draft) => draft.fullUrl === fullUrl)?.resource;
  if (fresh?.resourceType !== 'Encounter' || fresh.status === 'cancelled') return undefined;
  const patient = stored.get(fresh.subject?.reference ?? '')?.resource;
  if (!patient) return undefined;
  const versions = await store.find(`Encounter?patient=Patient/${patient.id}&status=finished,in-progress`);
  const facility = facilityOf(fresh, stored);
  const stays = versions.map(({ content, versionId }) => ({ resource: parseExact<Encounter>(content), versionId }));
  const others = stays.map(({ resource }) => resource);
  const candidates = stays.filter(
    ({ resource }) =>
      isUnnumbered(resource) &&
      isAt(resource, facility) &&
      (isSameVisit(resource, fresh, zone) || isAdmissionTo(resource, fresh, others, zone)),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

const isUnnumbered = ({ identifier }: Encounter) => (identifier ?? []).length === 0;

/** `Organization/12`; the draft's own address when it is not stored; undefined when none is named. */
function facilityOf({ serviceProvider }: Encounter, stored: ReadonlyMap<string, StoredDraft>): string | undefined {
  const named = serviceProvider?.reference;
  const known = named === undefined ? undefined : stored.get(named)?.resource;
  return known ? `Organization/${known.id}` : named;
}

function isAt({ serviceProvider }: Encounter, facility: string | undefined): boolean {
  const named = serviceProvider?.reference;
  return named === undefined || facility === undefined || named === facility;
}

/** What people call an inpatient stay, who mean observation as well. */
const STAYS: ReadonlySet<string | undefined> = new Set(['IMP', 'ACUTE', 'OBSENC', 'SS']);

const isSameKind = ({ class: { code: one } }: Encounter, { class: { code: other } }: Encounter) =>
  one === other || (STAYS.has(one) && STAYS.has(other));

const isEmergency = ({ class: { code } }: Encounter) => code === 'EMER';

function isSameVisit(told: Encounter, fresh: Encounter, zone: string | undefined): boolean {
  if (isEmergency(told) !== isEmergency(fresh)) return false;
  // Other doors may have told it in UTC, where another day may be.
  const [toldStart, toldEnd] = [told.period?.start, told.period?.end].map((value) => value && onClock(value, zone));
  const [start, end] = [fresh.period?.start, fresh.period?.end];
  const isSameStart = toldStart !== undefined && start !== undefined && sameDay(start, toldStart);
  if (fresh.status !== 'finished' || end === undefined) return isSameStart;
  if (toldStart !== undefined && comesBefore(end, toldStart)) return false;
  if (toldEnd !== undefined) {
    if (sameDay(end, toldEnd)) return true;
    return isStandIn(fresh.period) && (isSameStart || (toldStart === undefined && isWithin(toldEnd, start, end)));
  }
  return toldStart === undefined || start === undefined || sameDay(start, toldStart);
}

/**
 * The admission to a stay of which nothing but its discharge is told: it was before that day, no other one is known since, and the
 * discharge stays the newer word.
 */
function isAdmissionTo(
  told: Encounter,
  fresh: Encounter,
  others: readonly Encounter[],
  zone: string | undefined,
): boolean {
  if (!isSameKind(told, fresh)) return false;
  if (told.status !== 'finished' || told.period?.start !== undefined) return false;
  if (fresh.status !== 'in-progress' && fresh.status !== 'arrived') return false;
  const [start, end] = [fresh.period?.start, told.period?.end && onClock(told.period.end, zone)];
  if (start === undefined || end === undefined || !comesBefore(start, end)) return false;
  const [admission, discharge] = [instantOf(fresh, EVENT_TIME), instantOf(told, EVENT_TIME)];
  if (admission && (!discharge || Temporal.Instant.compare(admission, discharge) >= 0)) return false;
  return !others.some((other) => {
    const since = isSameKind(other, told) ? other.period?.start : undefined;
    return since !== undefined && comesBefore(start, onClock(since, zone)) && comesBefore(since, end);
  });
}

/** Without a known start any earlier stay could be meant, and the discharge of this one would be lost in it. */
const isWithin = (told: string, start: string | undefined, recorded: string) =>
  start !== undefined && !comesBefore(told, start) && !comesBefore(recorded, told);
