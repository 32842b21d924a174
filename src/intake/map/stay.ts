// What a message says about whether the patient is in: status, discharge and admission time of the Encounter, each with
// the time of the event, and how it joins what earlier and later events said.
import type { CodeableConcept, Encounter, Period } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf, withInstant, withoutInstant } from '../../fhir/event-time.ts';
import { withEnd } from '../../fhir/stand-in-end.ts';
import { standingOf, stayWordsOf, withStayWords } from '../../fhir/stay-words.ts';
import type { Segment } from '../er7/message.ts';
import { formatMoment, onClock, readDateTime } from '../er7/timestamp.ts';
import { Refusal } from '../refusal.ts';
import { ruleOf } from '../triggers.ts';
import { comesBefore } from './comes-before.ts';
import { readDisposition } from './disposition.ts';
import { isOlder } from './merge.ts';
import type { Reading } from './reading.ts';
import { LATEST_EVENT } from './systems.ts';

interface Stay {
  readonly status: Encounter['status'];
  readonly end?: string;
  /** The end is when the discharge was recorded. */
  readonly standsIn?: boolean;
  readonly disposition?: CodeableConcept;
  /** False when the message does not speak of the stay; then it only serves where nothing is stored. */
  readonly said: boolean;
}

/**
 * Status, period and disposition as FHIR elements. `event-time` extensions mark what the message really said.
 * @throws Refusal AE 102 impossible dates, a discharge before the admission
 */
export function readStay(
  pv1: Segment,
  reading: Reading,
): Pick<Encounter, 'status' | 'extension' | 'period' | 'hospitalization'> {
  const { status, end, standsIn, disposition, said } = stayOf(pv1, reading);
  const start = readDateTime(pv1, 44, reading.facility.zone) ?? (end ? undefined : admittedAt(reading));
  if (start && end && comesBefore(end, start)) {
    throw new Refusal('AE', '102', 'PV1-45 (discharge) is before PV1-44 (admission).', pv1.at(45));
  }
  const period = start || end ? withEnd(startPeriod(start, reading.eventTime), end, standsIn) : undefined;
  return {
    status,
    ...(said ? { extension: withInstant(undefined, EVENT_TIME, reading.eventTime) } : {}),
    ...(period ? { period } : {}),
    ...(disposition ? { hospitalization: { dischargeDisposition: disposition } } : {}),
    // The sender wants it removed.
    ...(end && pv1.isNull(36)
      ? { hospitalization: { extension: withInstant(undefined, EVENT_TIME, reading.eventTime) } }
      : {}),
  };
}

/**
 * The stored stay joined with a fresh one: of the status, of the disposition, and of the start, the newest event that tells it
 * wins whatever order the messages came in; of the end as well, but a stand-in replaces no end. What no event has set gives
 * way to what one tells.
 * @param zone of the facility, as far as it is known
 * @throws Refusal AE 102 when that puts the discharge before the admission
 */
export function mergeStay(stored: Encounter, fresh: Encounter, merged: Encounter, zone: string | undefined): Encounter {
  const stay = spoken(stored, fresh);
  const isOver = stay.status === 'finished';
  const standing = standingOf(isOver ? [...stayWordsOf(stored), ...stayWordsOf(fresh)] : []);
  const begin = newest(stored.period, fresh.period) ?? {};
  const said = isOver ? standing.end : stay.period?.end;
  const end = said && beside(begin.start, said, zone);
  const start: Period = {
    ...(begin.extension ? { extension: begin.extension } : {}),
    ...(begin.start ? { start: beside(end, begin.start, zone) } : {}),
  };
  const period = withEnd(start, end, standing.by?.isStandIn);
  if (period.start && period.end && comesBefore(period.end, period.start)) {
    throw new Refusal('AE', '102', 'The discharge would be before the stored admission of this visit.', 'PV1^1^45');
  }
  const time = instantOf(stay, EVENT_TIME);
  const destination = latest(destinationOf(stay === fresh ? stored : fresh), destinationOf(stay));
  const hospitalization = withDestination(merged.hospitalization, destination, stay);
  const { period: _p, hospitalization: _h, extension: _e, ...rest } = merged;
  const timed = time ? withInstant(merged, EVENT_TIME, time) : (merged.extension ?? []);
  const extension = withStayWords(timed, standing.words);
  return {
    ...rest,
    status: stay.status,
    ...(extension.length > 0 ? { extension } : {}),
    ...(Object.keys(period).length > 0 ? { period } : {}),
    ...(Object.keys(hospitalization).length > 0 ? { hospitalization } : {}),
  };
}

/** Beside a day a moment is told on the clock of the facility, whose day that is: other doors may have told it in UTC. */
function beside(other: string | undefined, value: string, zone: string | undefined): string {
  return other === undefined || other.includes('T') ? value : onClock(value, zone);
}

function stayOf(pv1: Segment, reading: Reading): Stay {
  const { stay, expects } = ruleOf(reading.header.trigger);
  // A discharge time that stays in the message when the discharge or the admission is taken back says nothing.
  if (stay === 'cancelled') return { status: 'cancelled', said: true };
  if (reading.header.trigger === 'A13') return { status: 'in-progress', said: true };
  const end = expects ? undefined : dischargedOn(pv1, reading);
  const disposition = expects ? undefined : readDisposition(pv1.first(36));
  // A discharge time always means the patient has left, whatever the event.
  if (end) return { status: 'finished', end, disposition, said: true };
  const patientClass = pv1.text(2);
  switch (stay) {
    case 'finished': {
      const told = withDay(occurred(reading));
      const text = told
        ? 'A discharge without PV1-45: EVN-6, when the event happened, was taken.'
        : 'A discharge without PV1-45: when it was recorded stands in until its time is told.';
      reading.remarks.push({ condition: '101', severity: 'W', location: pv1.at(45), text });
      return { status: 'finished', end: told ?? recorded(reading), standsIn: !told, disposition, said: true };
    }
    // Who is registered in an emergency department is there; others are registered before they come.
    case 'registered':
      return { status: patientClass === 'E' ? 'arrived' : 'planned', said: true };
    case undefined:
      return {
        status: patientClass === 'P' ? 'planned' : patientClass === 'U' ? 'unknown' : 'in-progress',
        said: false,
      };
    default:
      return { status: stay, said: true };
  }
}

/** @throws Refusal AE 102 also when it says no day: follow-ups count from it */
function dischargedOn(pv1: Segment, { facility }: Reading): string | undefined {
  const end = readDateTime(pv1, 45, facility.zone);
  if (end === undefined || withDay(end)) return end;
  throw new Refusal('AE', '102', 'PV1-45 (discharge) does not say the day.', pv1.at(45));
}

/** Undefined for what does not say the day. */
const withDay = (end: string | undefined) => (end !== undefined && end.length >= '2026-01-01'.length ? end : undefined);

/** EVN-6, when the event happened. */
export function occurred({ message, facility }: Reading): string | undefined {
  const event = message.segment('EVN');
  return event && readDateTime(event, 6, facility.zone);
}

/** The start of an admission without PV1-44. When it was recorded is no substitute: records are also made late. */
function admittedAt(reading: Reading): string | undefined {
  return ruleOf(reading.header.trigger).stay === 'in-progress' && reading.header.trigger !== 'A13'
    ? occurred(reading)
    : undefined;
}

/** When the event was recorded, as FHIR dateTime. */
export function recorded({ eventTime, facility }: Reading): string {
  return formatMoment(eventTime.toZonedDateTimeISO(facility.zone));
}

function startPeriod(start: string | undefined, eventTime: Temporal.Instant): Period {
  return start ? { extension: withInstant(undefined, EVENT_TIME, eventTime), start } : {};
}

/** Where the patient went, absent for nowhere, and when an event said so. */
interface Destination {
  readonly disposition: CodeableConcept | undefined;
  readonly at: Temporal.Instant | undefined;
}

/** Undefined when nothing is said: a discharge that names none leaves standing what an earlier word about the visit did. */
function destinationOf({ status, extension, hospitalization }: Encounter): Destination | undefined {
  const disposition = hospitalization?.dischargeDisposition;
  const own = status === 'finished' ? instantOf(hospitalization, EVENT_TIME) : undefined;
  const at = own ?? instantOf({ ...(extension ? { extension } : {}) }, EVENT_TIME);
  const isSaid = disposition !== undefined || own !== undefined || (status !== 'finished' && at !== undefined);
  return isSaid ? { disposition, at } : undefined;
}

/** The newer; of two at one time the second. */
function latest(one: Destination | undefined, other: Destination | undefined): Destination | undefined {
  if (!one || !other) return one ?? other;
  if (!one.at) return other;
  return other.at && Temporal.Instant.compare(other.at, one.at) >= 0 ? other : one;
}

/** A word about the destination keeps its time when that is not the stay's, or when a discharge would say nothing without it. */
function withDestination(
  merged: Encounter['hospitalization'],
  destination: Destination | undefined,
  stay: Encounter,
): NonNullable<Encounter['hospitalization']> {
  const { dischargeDisposition: _, ...given } = merged ?? {};
  const others = withoutInstant(given, EVENT_TIME);
  const { disposition, at } = destination ?? {};
  const time = instantOf(stay, EVENT_TIME);
  const isOfItsOwn = stay.status === 'finished' && (!disposition || time === undefined || !at?.equals(time));
  return {
    ...others,
    ...(at && isOfItsOwn ? { extension: withInstant(others, EVENT_TIME, at) } : {}),
    ...(disposition ? { dischargeDisposition: disposition } : {}),
  };
}

/** What is over without an event: another server or a person has written it, and a message that does not speak of it leaves it. */
const OVER: readonly Encounter['status'][] = ['finished', 'cancelled', 'entered-in-error'];

/** Of two that no event has set, the newer message's. */
function spoken(stored: Encounter, fresh: Encounter): Encounter {
  if (instantOf(stored, EVENT_TIME) || instantOf(fresh, EVENT_TIME)) return newest(stored, fresh);
  if (OVER.includes(stored.status)) return stored;
  const time = instantOf(fresh, LATEST_EVENT);
  return time && !isOlder(stored, time) ? fresh : stored;
}

function newest<T extends Pick<Encounter, 'extension'> | undefined>(stored: T, fresh: T): T {
  const [before, now] = [instantOf(stored, EVENT_TIME), instantOf(fresh, EVENT_TIME)];
  if (stored === undefined) return fresh;
  if (now === undefined) return stored;
  return before === undefined || Temporal.Instant.compare(now, before) >= 0 ? fresh : stored;
}
