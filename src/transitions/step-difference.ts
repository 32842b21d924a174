// What becomes of a step when its plan gives way to another one, for the operator who decides: read from what it is now and from
// what it would be.
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { creditedAt } from '../care/transition/credit.ts';
import { isUntouched } from '../care/transition/follow-up.ts';
import { clockOf } from '../care/transition/follow-up-clock.ts';
import { isMissed, type Stage, stageOf } from '../care/transition/life.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { Activity, StepChange } from './step-changes.ts';

/** What people, or the clock, have made of a follow-up beyond what its plan says. */
export const STANDING = ['begun', 'attempts', 'credit', 'owner', 'deadline', 'late', 'acknowledgement'] as const;
export type Standing = (typeof STANDING)[number];

export interface StepState {
  /** FHIR dateTimes. */
  readonly from?: string;
  readonly due?: string;
  readonly status: string;
  readonly stage?: Stage;
  /** `Practitioner/12` */
  readonly owner?: string;
  /** How many contacts and attempts are recorded about it. */
  readonly attempts?: number;
  /** When the attempt was that earned it credit. */
  readonly credited?: string;
}

export interface StepDifference {
  readonly step: string;
  /** The Task or order that there is already: `Task/12`. */
  readonly resource?: string;
  /**
   * `done` stays done; `same` goes on as it is; `moved` goes on in another window; `changed` goes on, with another standing;
   * `again` is planned anew, since what there was has ended undone or was about something else; `added` is new; `withdrawn` ends.
   */
  readonly change: 'done' | 'same' | 'moved' | 'changed' | 'again' | 'added' | 'withdrawn';
  readonly before?: StepState;
  readonly after?: StepState;
  /** What it keeps of what was done about it. */
  readonly keeps: readonly Standing[];
  /** What counts no longer; contacts and attempts themselves stay on record. */
  readonly loses: readonly Standing[];
}

/** Undefined for what had ended undone and stands in the new plan no more: nothing becomes of it. */
export function differenceOf({ step, before, after, isDoneBefore }: StepChange): StepDifference | undefined {
  const change = isDoneBefore ? 'done' : changeOf(before, after);
  if (!change) return undefined;
  const was = before && !isEnded(before) ? standingOf(before) : new Set<Standing>();
  const is = after && isSame(before, after) ? standingOf(after) : new Set<Standing>();
  return {
    step,
    ...(before?.id ? { resource: `${before.resourceType}/${before.id}` } : {}),
    change,
    ...(before ? { before: stateOf(before) } : {}),
    ...(after ? { after: stateOf(after) } : {}),
    keeps: STANDING.filter((one) => was.has(one) && is.has(one)),
    loses: STANDING.filter((one) => was.has(one) && !is.has(one)),
  };
}

function changeOf(before: Activity | undefined, after: Activity | undefined): StepDifference['change'] | undefined {
  if (before?.status === 'completed' && (!after || isSame(before, after))) return 'done';
  if (!after) return before && !isEnded(before) ? 'withdrawn' : undefined;
  if (!before) return 'added';
  if (!isSame(before, after)) return 'again';
  const [was, is] = [stateOf(before), stateOf(after)];
  if (was.from !== is.from || was.due !== is.due) return 'moved';
  return JSON.stringify([was, [...standingOf(before)]]) === JSON.stringify([is, [...standingOf(after)]])
    ? 'same'
    : 'changed';
}

/** The very Task or order, not one that is made for the same step. */
const isSame = (before: Activity | undefined, after: Activity) => before?.id !== undefined && before.id === after.id;

const isEnded = (activity: Activity) =>
  activity.resourceType === 'Task'
    ? isTerminal(activity.status)
    : activity.status === 'completed' || activity.status === 'revoked' || activity.status === 'entered-in-error';

function standingOf(activity: Activity): Set<Standing> {
  if (activity.resourceType === 'ServiceRequest') return new Set();
  const has: Record<Standing, boolean> = {
    begun: !isUntouched(activity),
    attempts: attemptsOf(activity) > 0,
    credit: creditedAt(activity) !== undefined,
    owner: isPerson(activity),
    deadline: clockOf(activity).fixed === true,
    late: isMissed(activity),
    acknowledgement: stageOf(activity) === 'acknowledged',
  };
  return new Set(STANDING.filter((one) => has[one]));
}

/** Somebody has it, not the team or the facility. */
const isPerson = ({ owner }: Task) => /^Practitioner(Role)?\/|^RelatedPerson\//.test(owner?.reference ?? '');

const attemptsOf = ({ output = [] }: Task) =>
  output.filter(({ valueReference }) => valueReference?.reference?.startsWith('Communication/')).length;

function stateOf(activity: Activity): StepState {
  const { status } = activity;
  if (activity.resourceType === 'ServiceRequest') return { ...windowOf(activity.occurrencePeriod), status };
  const [stage, credited, attempts] = [stageOf(activity), creditedAt(activity), attemptsOf(activity)];
  const owner = activity.owner?.reference;
  return {
    ...windowOf(activity.restriction?.period),
    status,
    ...(stage ? { stage } : {}),
    // A team that the same commit forms has no name yet.
    ...(owner && !owner.startsWith('urn:') ? { owner } : {}),
    ...(attempts > 0 ? { attempts } : {}),
    ...(credited ? { credited } : {}),
  };
}

function windowOf({ start, end }: NonNullable<ServiceRequest['occurrencePeriod']> = {}) {
  return { ...(start ? { from: start } : {}), ...(end ? { due: end } : {}) };
}
