// What a sweep looks for, one search parameter for each thing that time does to a follow-up. A Task has a value for a
// parameter only while that thing is still to happen, so acting on it takes it out of the pass.
import type { Task } from '@medplum/fhirtypes';
import { clockOf } from '../care/transition/follow-up-clock.ts';
import type { Act } from './act.ts';
import { nextEscalation, planEscalation } from './escalate.ts';
import { planExpiry } from './expire.ts';
import type { Parts } from './parts.ts';
import { planRaise } from './raise.ts';
import { planReminder } from './remind.ts';

export interface Pass {
  /** SearchParameter of Task, a date: when it is to happen. profiles/search-parameters/ */
  readonly parameter: 'raise-at' | 'remind-at' | 'escalate-at' | 'expire-at';
  /** The parameter's value: FHIR dateTime. */
  readonly at: (task: Task) => string | undefined;
  /** How what was done is counted and told. */
  readonly done: 'raised' | 'reminded' | 'escalated' | 'expired';
  /** One commit's worth of changes; undefined when nothing is to be done about the Task any more, or not yet. */
  readonly plan: (parts: Parts, task: Task, now: Temporal.Instant) => Promise<Act | undefined>;
}

/** In the order in which they happen to one follow-up when several have become due at once. */
export const PASSES: readonly Pass[] = [
  { parameter: 'raise-at', at: (task) => task.restriction?.period?.start, done: 'raised', plan: planRaise },
  { parameter: 'remind-at', at: (task) => clockOf(task).remindAt, done: 'reminded', plan: planReminder },
  { parameter: 'escalate-at', at: nextEscalation, done: 'escalated', plan: planEscalation },
  { parameter: 'expire-at', at: (task) => clockOf(task).expireAt, done: 'expired', plan: planExpiry },
];
