// A stay as a span of time, and what falls into it.
import { toInstant, toLastInstant } from '../local-time.ts';
import { leftBy } from './discharge.ts';
import type { TransitionContext } from './transition-context.ts';

/** The stay in time: until the discharge, from the admission or, where that is not known, from whenever. */
export interface StayTime {
  readonly encounter: string;
  readonly zone: string;
  readonly from?: Temporal.Instant;
  readonly until: Temporal.Instant;
}

/** The time of the stay that the discharge ended. */
export function stayOf({ encounter, anchor }: TransitionContext): StayTime {
  const from = admissionOf({ encounter, anchor });
  // A date without a time lasts until its day is over: results of that day belong to the stay.
  const until = leftBy(encounter, anchor.discharge, anchor.zone);
  return { encounter: `Encounter/${encounter.id}`, zone: anchor.zone, until, ...(from ? { from } : {}) };
}

/** When the stay began; undefined when the encounter does not say. */
export function admissionOf({
  encounter,
  anchor,
}: Pick<TransitionContext, 'encounter' | 'anchor'>): Temporal.Instant | undefined {
  return encounter.period?.start ? toInstant(encounter.period.start, anchor.zone) : undefined;
}

/** A moment, or a day some part of which lies in the stay. */
export function isWithin(value: string, { from, until, zone }: StayTime): boolean {
  const [first, last] = [toInstant(value, zone), toLastInstant(value, zone)];
  const begun = !from || Temporal.Instant.compare(last, from) >= 0;
  return begun && Temporal.Instant.compare(first, until) <= 0;
}
