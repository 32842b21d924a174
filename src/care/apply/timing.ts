// When one action is to be done: its timing[x], counted from the moment it can begin.
import type { PlanDefinitionAction, Timing } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { readTiming, windowOf } from '../deadline.ts';
import { toInstant, toLastInstant } from '../local-time.ts';
import { EXTENSION } from '../systems.ts';
import { type Amount, type DayCount, type Locale, readAmount, shift } from './amount.ts';
import { at, type Place, refusal } from './refusal.ts';

/** From when to when; without an end there is no deadline. */
export interface Span {
  readonly start: Temporal.Instant;
  readonly end?: Temporal.Instant;
}

/** What times are counted from. */
export interface PlanClock extends Locale {
  /** When the plan begins. */
  readonly start: Temporal.Instant;
  /** FHIR date; needed for ages. */
  readonly birthDate?: string | undefined;
}

export type TimingRule = (from: Temporal.Instant, clock: PlanClock) => Span;

/**
 * @returns undefined when the action has no timing
 * @throws Fault unprocessable when the timing cannot be read
 */
export function readActionTiming(action: PlanDefinitionAction, place: Place): TimingRule | undefined {
  const count = dayCountOf(action.extension);
  const { timingDateTime, timingAge, timingPeriod, timingDuration, timingRange, timingTiming } = action;
  if (action.extension?.some(({ url }) => url === EXTENSION.timing)) return readFollowUpTiming(action, place);
  if (timingDateTime) {
    return (_, { zone }) => ({ start: toInstant(timingDateTime, zone), end: toLastInstant(timingDateTime, zone) });
  }
  if (timingAge) return ageRule(readAmount(timingAge, count, at(place, 'PlanDefinition.action.timing')), place);
  if (timingPeriod) return (_, { zone }) => periodSpan(timingPeriod, zone, place);
  if (timingDuration) {
    const amount = readAmount(timingDuration, count, at(place, 'PlanDefinition.action.timing'));
    return (from, clock) => ({ start: from, end: shift(from, amount, 1, 'ends', clock) });
  }
  if (timingRange) return rangeRule(timingRange, count, at(place, 'PlanDefinition.action.timing'));
  return timingTiming ? timingRule(timingTiming, count, at(place, 'PlanDefinition.action.timing')) : undefined;
}

/** Extension day-count of an action or of one of its relations. */
export function dayCountOf(extensions: PlanDefinitionAction['extension']): DayCount | undefined {
  const code = extensions?.find(({ url }) => url === EXTENSION.dayCount)?.valueCode;
  return code === 'business-day' || code === 'calendar-day' ? code : undefined;
}

/** A span of low and high of a Range of lengths of time. */
export function rangeRule(
  range: NonNullable<PlanDefinitionAction['timingRange']>,
  count: DayCount | undefined,
  place: Place,
): TimingRule {
  const low = range.low ? readAmount(range.low, count, place) : undefined;
  const high = range.high ? readAmount(range.high, count, place) : undefined;
  if (!low && !high) throw refusal(place, 'a range needs low, high or both.');
  return (from, clock) => ({
    start: low ? shift(from, low, 1, 'begins', clock) : from,
    ...(high ? { end: shift(from, high, 1, 'ends', clock) } : {}),
  });
}

/** The rule of transition protocols, counted from when the action can begin. */
function readFollowUpTiming(action: PlanDefinitionAction, place: Place): TimingRule {
  const timing = readTiming(action, place.pathway);
  return (from, { zone, calendar }) => {
    const { raise, due } = windowOf(timing, { discharge: from, zone, calendar });
    return { start: raise, end: due };
  };
}

function ageRule(age: Amount, place: Place): TimingRule {
  return (_, clock) => {
    if (clock.birthDate === undefined) throw refusal(place, 'it is due at an age, and no date of birth is recorded.');
    const birth = toInstant(clock.birthDate, clock.zone);
    return { start: shift(birth, age, 1, 'begins', clock), end: shift(birth, age, 1, 'ends', clock) };
  };
}

function periodSpan({ start, end }: { start?: string; end?: string }, zone: string, place: Place): Span {
  if (start === undefined && end === undefined) throw refusal(place, 'a period needs a start or an end.');
  const last = end === undefined ? {} : { end: toLastInstant(end, zone) };
  return { start: toInstant(start ?? end ?? '', zone), ...last };
}

/** Only the bounds and the first and last event; how often in between stays in the Timing of the resource. */
function timingRule({ event, repeat }: Timing, count: DayCount | undefined, place: Place): TimingRule {
  if (event?.length) {
    const [first, last] = [event[0] as string, event.at(-1) as string];
    return (_, { zone }) => ({ start: toInstant(first, zone), end: toLastInstant(last, zone) });
  }
  if (repeat?.boundsPeriod) {
    const { boundsPeriod } = repeat;
    return (_, { zone }) => periodSpan(boundsPeriod, zone, place);
  }
  if (repeat?.boundsRange) return rangeRule(repeat.boundsRange, count, place);
  if (!repeat?.boundsDuration) return (from) => ({ start: from });
  const length = readAmount(repeat.boundsDuration, count, place);
  return (from, clock) => ({ start: from, end: shift(from, length, 1, 'ends', clock) });
}

/** @throws Fault unprocessable naming the action, where a date in it cannot be read */
export function applyTiming(rule: TimingRule, from: Temporal.Instant, clock: PlanClock, place: Place): Span {
  try {
    return rule(from, clock);
  } catch (error) {
    if (error instanceof Fault && error.message.includes(place.pathway)) throw error;
    throw refusal(at(place, 'PlanDefinition.action.timing'), 'its timing has a date that cannot be read.', error);
  }
}
