// The clock and calendar of the place a patient was discharged from.
import type { Organization } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import { type BusinessCalendar, lackOf } from '../care/business-calendar.ts';
import { localDate } from '../care/local-time.ts';
import { idOf, readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { Fault } from '../fault.ts';
import type { Store } from '../store/store.ts';

export interface Facility {
  /** Value of the Organization's facility identifier (MSH-4); `*` stands for every other. */
  readonly code: string;
  readonly name: string;
  /** IANA time zone. */
  readonly zone: string;
  /** Name of a business calendar. */
  readonly calendar: string;
}

/** Where a deadline is computed. */
export interface Place {
  readonly zone: string;
  readonly calendar: BusinessCalendar;
  /** The facility's code; absent where the fallback stands in. */
  readonly code?: string;
}

export interface Facilities {
  /** The place of the Organization a reference names; the fallback when it is not configured or not named. */
  placeOf(organization: { readonly reference?: string } | undefined): Promise<Place>;
  /** What calendars lack by now for the deadlines ahead, as sentences; at the start they lacked nothing. */
  lacks(now: Temporal.Instant): readonly string[];
}

const FALLBACK: Facility = { code: '*', name: 'Every other facility', zone: 'UTC', calendar: 'us-federal' };

/** Deadlines that are set now or before the next restart reach this far. */
const AHEAD = { days: 190 };

/**
 * @throws Fault unprocessable when a facility names a calendar that there is not, or that does not cover the time in which
 *   deadlines will fall, or a time zone that there is not
 */
export function createFacilities(
  store: Store,
  configured: readonly Facility[],
  calendars: ReadonlyMap<string, BusinessCalendar>,
  log: Logger,
  now: Temporal.Instant,
): Facilities {
  const fallback = configured.find(({ code }) => code === '*') ?? (configured.length === 1 ? configured[0] : undefined);
  if (!fallback) log.warn('no facility "*" is configured: deadlines of unknown facilities are computed in UTC');
  const places = new Map([FALLBACK, ...(fallback ? [{ ...fallback, code: '*' }] : []), ...configured].map(toPlace));
  const otherwise = places.get('*') as Place;
  return {
    async placeOf(organization) {
      const stored = await readResource(store, 'Organization', idOf(organization, 'Organization'));
      return (stored && places.get(codeOf(stored))) || otherwise;
    },
    lacks: (at) => [...new Set([...places.values()].flatMap((place) => lackAt(place, at) ?? []))],
  };

  function toPlace({ code, zone, calendar: name }: Facility): [string, Place] {
    const calendar = calendars.get(name);
    if (!calendar)
      throw new Fault('unprocessable', `Facility ${code} names the calendar "${name}", which there is not.`);
    requireZone(zone, code, now);
    const lack = lackAt({ zone, calendar }, now);
    if (lack !== undefined) throw new Fault('unprocessable', lack);
    return [code, { zone, calendar, ...(code === '*' ? {} : { code }) }];
  }
}

function requireZone(zone: string, code: string, now: Temporal.Instant): void {
  try {
    now.toZonedDateTimeISO(zone);
  } catch (cause) {
    throw new Fault('unprocessable', `Facility ${code} names the time zone "${zone}", which there is not.`, { cause });
  }
}

function lackAt({ zone, calendar }: Place, at: Temporal.Instant): string | undefined {
  const today = localDate(at, zone);
  return lackOf(calendar, today.year, today.add(AHEAD).year);
}

function codeOf(organization: Organization): string {
  return organization.identifier?.find(({ system }) => system === IDENTIFIER.facility)?.value ?? '';
}
