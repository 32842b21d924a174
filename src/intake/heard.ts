// What newer messages have confirmed of a resource without telling anything new: the times of their events. No version is
// made for them; kept beside the resource they still decide, when an older message comes late, whose word is the newer one.
import type { Encounter, Extension, Period, Resource } from '@medplum/fhirtypes';
import { DEATH_TOLD } from '../fhir/death-word.ts';
import { EVENT_TIME, instantOf, withInstant } from '../fhir/event-time.ts';
import type { Statement, Store } from '../store/store.ts';
import { whileUnchanged } from '../store/unchanged.ts';
import { LATEST_EVENT } from './map/systems.ts';
import { latestStatements, withStatements } from './map/whereabouts.ts';

/** The text of `Times` of a resource of the store, by `Type/id`. */
export type Heard = ReadonlyMap<string, string>;

/** FHIR instants. */
interface Times {
  /** The newest event that has been applied. */
  readonly latest?: string | undefined;
  /** The newest event that gave this start of the stay. */
  readonly start?: { readonly at: string; readonly time: string } | undefined;
  /** The newest event that said whether the patient has died. */
  readonly death?: string | undefined;
  /** What was said last of where the patient is. */
  readonly whereabouts?: readonly Extension[] | undefined;
}

type Timed = Pick<Encounter, 'extension' | 'period'>;

/** @param ids `Type/id` */
export async function readHeard(store: Pick<Store, 'query'>, ids: readonly string[]): Promise<Heard> {
  if (ids.length === 0) return new Map();
  const places = ids.map(() => '?').join(', ');
  const rows = await store.query(`SELECT resource, times FROM intake_heard WHERE resource IN (${places})`, ids);
  return new Map(rows.map(({ resource, times }) => [String(resource), String(times)]));
}

/** The stored resource with the times that were heard since. */
export function withHeard<R extends Resource>(resource: R, text: string | undefined): R {
  if (text === undefined) return resource;
  const { latest, start, death, whereabouts } = JSON.parse(text) as Times;
  const timed = resource as Timed;
  const newest = later(timed, LATEST_EVENT, latest);
  let extension = later(newest && { extension: newest }, DEATH_TOLD, death);
  if (whereabouts) extension = withStatements(extension, whereabouts);
  const confirmed = start && timed.period?.start === start.at ? later(timed.period, EVENT_TIME, start.time) : undefined;
  return {
    ...resource,
    ...(extension ? { extension } : {}),
    ...(confirmed ? { period: { ...timed.period, extension: confirmed } } : {}),
  };
}

/**
 * Keeps the times of a resource that a message has only confirmed; nothing when they are kept already. The commit fails as a
 * conflict when the resource, or what was heard of it, is no longer as it was read.
 * @param id `Type/id`
 * @param resource with the times that were `before`
 * @param merged the resource as it would be with the message
 */
export function keepHeard(
  id: string,
  { resource, versionId }: { readonly resource: Resource; readonly versionId: string },
  merged: Resource,
  before: string | undefined,
): Statement[] {
  const times = JSON.stringify(timesOf(merged as Timed));
  if (times === JSON.stringify(timesOf(resource as Timed))) return [];
  const fence: Statement =
    before === undefined
      ? {
          sql: `INSERT INTO intake_heard (resource, times) SELECT ?, ?
            WHERE NOT EXISTS (SELECT 1 FROM intake_heard WHERE resource = ?)`,
          params: [id, times, id],
          rows: 1,
        }
      : {
          sql: 'UPDATE intake_heard SET times = ? WHERE resource = ? AND times = ?',
          params: [times, id, before],
          rows: 1,
        };
  return [whileUnchanged(fence, { type: resource.resourceType, id: resource.id ?? '', versionId })];
}

/**
 * For the commit that writes what was heard into the resource itself; it fails as a conflict when more was heard meanwhile.
 * @param id `Type/id`
 */
export function forgetHeard(id: string, before: string | undefined): Statement {
  return before === undefined
    ? { sql: 'DELETE FROM intake_heard WHERE resource = ?', params: [id], rows: 0 }
    : { sql: 'DELETE FROM intake_heard WHERE resource = ? AND times = ?', params: [id, before], rows: 1 };
}

/** The period without the time of the event that has given its start last. */
export function withoutConfirmation(period: Period | undefined): Period | undefined {
  if (!period?.extension) return period;
  const { extension, ...rest } = period;
  const others = extension.filter(({ url }) => url !== EVENT_TIME);
  return others.length > 0 ? { ...rest, extension: others } : rest;
}

function timesOf({ extension, period }: Timed): Times {
  const time = timeIn(period?.extension, EVENT_TIME);
  const death = timeIn(extension, DEATH_TOLD);
  const whereabouts = latestStatements(extension);
  return {
    latest: timeIn(extension, LATEST_EVENT),
    ...(time !== undefined && period?.start !== undefined ? { start: { at: period.start, time } } : {}),
    ...(death === undefined ? {} : { death }),
    ...(whereabouts.length > 0 ? { whereabouts } : {}),
  };
}

const timeIn = (extension: readonly Extension[] | undefined, name: string) =>
  extension?.find(({ url }) => url === name)?.valueInstant;

/** The extensions with the later of two times. */
function later(element: Timed | Period | undefined, url: string, heard: string | undefined): Extension[] | undefined {
  if (heard === undefined) return element?.extension;
  const [stored, time] = [instantOf(element, url), Temporal.Instant.from(heard)];
  const isNews = stored === undefined || Temporal.Instant.compare(time, stored) > 0;
  return isNews ? withInstant(element, url, time) : element?.extension;
}
