// Past its deadline, as people say it: a deadline without a time ends with its day where Baton's days begin and end, which the
// index, whose days are those of UTC, cannot tell. So the index is asked with a margin, and what lies within it is looked at.
import type { Task } from '@medplum/fhirtypes';
import { isTerminal } from '../../fhir/status/task.ts';
import { toLastInstant } from '../local-time.ts';
import type { Caller } from '../records.ts';

/** No day on earth begins or ends further than 14 hours from that of UTC; one more for what is rounded. */
const MARGIN = { hours: 15 };

type Here = Pick<Caller, 'now' | 'zone'>;

/** Open, and its deadline is over. */
export const isOverdue = (task: Task, here: Here) => !isTerminal(task.status) && isPastDeadline(task, here);

/** Whether it is done or not. */
export function isPastDeadline(task: Task, { now, zone }: Here): boolean {
  const last = lastInstantOf(task, zone);
  return last !== undefined && Temporal.Instant.compare(last, now) < 0;
}

/** Not over, but over by the instant. */
export function isDueBy(task: Task, until: Temporal.Instant, here: Here): boolean {
  const last = lastInstantOf(task, here.zone);
  return last !== undefined && !isPastDeadline(task, here) && Temporal.Instant.compare(last, until) <= 0;
}

function lastInstantOf({ restriction }: Task, zone: string): Temporal.Instant | undefined {
  const due = restriction?.period?.end;
  return due === undefined ? undefined : toLastInstant(due, zone);
}

/** Values of the search parameter `deadline`. */
export const deadlines = {
  /** Certainly over, in whatever zone. */
  over: (now: Temporal.Instant) => `eb${secondOf(now.subtract(MARGIN))}`,
  /** All that may be over, and some that may not. */
  maybeOver: (now: Temporal.Instant) => `eb${secondOf(now.add(MARGIN))}`,
  /** All that may not be over, and some that may. */
  maybeOpen: (now: Temporal.Instant) => `gt${secondOf(now.subtract(MARGIN))}`,
};

const secondOf = (instant: Temporal.Instant) => instant.toString({ smallestUnit: 'second' });
