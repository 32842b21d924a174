// What a plan and the one that takes its place both hold is not begun anew: the Task or order stays, with all that was done and
// told about it, and belongs to the new plan. Pure.
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { isTerminal } from '../../fhir/status/task.ts';
import { roleConcept } from '../concept.ts';
import { type Window, windowOf } from '../deadline.ts';
import { toFhirDateTime, toLastInstant } from '../local-time.ts';
import { EXTENSION, IDENTIFIER } from '../systems.ts';
import { touched } from '../touched.ts';
import { titleOf } from './apply-plan-definition.ts';
import { followUpKey, formatKey, formatWindow, goalLinks, isUntouched, type PlanReferences } from './follow-up.ts';
import { clockOf, type FollowUpClock, newClock, withClock } from './follow-up-clock.ts';
import { isMissed, type Stage, stageConcept, stageOf } from './life.ts';
import type { ProtocolStep } from './protocol.ts';
import { rungAt, type Told } from './step-life.ts';
import type { TransitionContext } from './transition-context.ts';

/** Where something goes that a new plan takes over. */
export interface NewPlace {
  readonly step: ProtocolStep;
  /** `url|version` */
  readonly protocol: string;
  readonly plan: PlanReferences;
  readonly context: TransitionContext;
}

/** The step asks for the very thing: what was done about the Task counts for it. */
export function isTaskOf({ activity }: ProtocolStep, task: Task): boolean {
  const codes = (activity.code?.coding ?? []).map(({ system, code }) => `${system}|${code}`);
  const known = task.code?.coding ?? [];
  if (activity.kind !== 'Task') return false;
  return codes.length === 0
    ? known.length === 0
    : known.some(({ system, code }) => codes.includes(`${system}|${code}`));
}

/** The step orders the very thing, and nobody has taken that back. */
export function isOrderOf({ activity }: ProtocolStep, { instantiatesCanonical = [], status }: ServiceRequest): boolean {
  if (activity.kind !== 'ServiceRequest' || status === 'revoked' || status === 'entered-in-error') return false;
  return instantiatesCanonical.some((canonical) => canonical.split('|')[0] === activity.url);
}

/**
 * The follow-up as one of the new plan. One that is done only changes its place. An open one keeps its owner, its attempts, how
 * far it has come, and a deadline that somebody agreed on unless that would be before it may begin; else it has the window of
 * the new plan, and is late no longer when that has not passed. Whether its attempts still earn credit is to be counted anew.
 * @param told who has been told that it is late, since it became so
 */
export function takeOver(task: Task, told: ReadonlySet<Told>, place: NewPlace): Task {
  const { step, plan, context } = place;
  const placed = placeTask(task, place);
  if (isTerminal(task.status)) return placed;
  const { anchor, now } = context;
  const window = windowOf(step.timing, anchor);
  const timed = timedAnew(placed, window, told, place);
  const performers = (step.activity.participant ?? []).flatMap(({ role }) => (role ? [role] : []));
  return touched(
    {
      ...timed,
      description: titleOf(step),
      priority: moreUrgent(task.priority, step.action.priority ?? step.activity.priority),
      ...(context.facility ? { requester: context.facility } : {}),
      performerType: performers.length > 0 ? performers : [roleConcept('case-manager')],
      owner: task.owner ?? context.caseManager ?? plan.careTeam,
    },
    now,
  );
}

/** The order as one of the new plan, with its window while it is to be carried out. */
export function takeOverOrder(order: ServiceRequest, { step, plan, context }: NewPlace): ServiceRequest {
  const { anchor, facility } = context;
  const isOpen = order.status === 'active' || order.status === 'on-hold' || order.status === 'draft';
  const extension = [...(order.extension ?? []).filter(isNoGoal), ...goalLinks(step, plan)];
  const { extension: _, ...rest } = order;
  return {
    ...rest,
    ...(extension.length > 0 ? { extension } : {}),
    basedOn: [plan.carePlan, ...(order.basedOn ?? []).filter(isNoPlan)],
    ...(isOpen ? { occurrencePeriod: formatWindow(windowOf(step.timing, anchor), anchor.zone) } : {}),
    ...(isOpen && facility ? { requester: facility } : {}),
  };
}

/** A supervisor's Task about a follow-up that the new plan has taken over. */
export function takeOverEscalation(escalation: Task, plan: PlanReferences): Task {
  return {
    ...escalation,
    identifier: movedKeys(escalation, plan.episode),
    basedOn: [plan.carePlan, ...(escalation.basedOn ?? []).filter(isNoPlan)],
    groupIdentifier: { system: IDENTIFIER.transitionPlan, value: plan.episode },
  };
}

const isNoGoal = ({ url }: { url?: string }) => url !== EXTENSION.pertainsToGoal;
const isNoPlan = ({ reference }: { reference?: string }) => !reference?.startsWith('CarePlan/');

function placeTask(task: Task, { step, plan }: NewPlace): Task {
  const { activity } = step;
  return {
    ...takeOverEscalation(task, plan),
    extension: [...goalLinks(step, plan), ...(task.extension ?? []).filter(isNoGoal)],
    ...(activity.url ? { instantiatesCanonical: activity.url } : {}),
  };
}

function movedKeys(task: Task, episode: string): NonNullable<Task['identifier']> {
  const key = followUpKey(task);
  return (task.identifier ?? []).map((one) =>
    one.system === IDENTIFIER.followUp && key ? { ...one, value: formatKey({ ...key, episode }) } : one,
  );
}

function timedAnew(task: Task, window: Window, told: ReadonlySet<Told>, { step, protocol, context }: NewPlace): Task {
  const { anchor, now } = context;
  const [known, fresh] = [clockOf(task), newClock(protocol, step, window, anchor)];
  if (isAgreed(known, window, anchor.zone)) {
    const { attempts: _, apart: __, ...agreed } = known;
    const { attempts, apart, late } = fresh;
    return withClock(task, {
      ...agreed,
      ...{ protocol, late },
      ...(attempts ? { attempts } : {}),
      ...(apart === undefined ? {} : { apart }),
    });
  }
  const restriction = { ...task.restriction, period: formatWindow(window, anchor.zone) };
  const isLate = isMissed(task) && Temporal.Instant.compare(window.due, now) <= 0;
  if (isLate)
    return { ...withClock(task, { ...fresh, ...climbing(known, task, window, told, step, anchor) }), restriction };
  const stage = stageWithin(task, window, restriction.period.end, now);
  // Who was told of a miss before is told of another one.
  const cycle = isMissed(task) && known.rung > 0 ? known.cycle + 1 : known.cycle;
  return { ...withClock(task, { ...fresh, cycle }), restriction, businessStatus: stageConcept(stage) };
}

/** Somebody set the deadline, and it may begin before that. */
function isAgreed({ fixed, deadline }: FollowUpClock, { raise }: Window, zone: string): boolean {
  return fixed === true && deadline !== undefined && Temporal.Instant.compare(toLastInstant(deadline, zone), raise) > 0;
}

/** It stays late: nobody is told again, and who has acknowledged it has the time that was given. */
function climbing(
  { cycle, rung, escalateAt, until }: FollowUpClock,
  task: Task,
  { due }: Window,
  told: ReadonlySet<Told>,
  { life: { ladder } }: ProtocolStep,
  anchor: TransitionContext['anchor'],
): Partial<FollowUpClock> {
  if (stageOf(task) === 'acknowledged') {
    return { cycle, rung, ...(escalateAt ? { escalateAt } : {}), ...(until ? { until } : {}) };
  }
  const up = ladder.findIndex(({ who }) => !told.has(who));
  const taken = Math.max(1, up < 0 ? ladder.length : up);
  const next = ladder[taken];
  return {
    cycle,
    rung: taken,
    ...(next ? { escalateAt: toFhirDateTime(rungAt(next, due, anchor), anchor.zone) } : {}),
  };
}

function stageWithin(task: Task, window: Window, end: string, now: Temporal.Instant): Stage {
  const stage = stageOf(task) ?? 'scheduled';
  if (stage === 'credited' || stage === 'scheduled') return stage;
  if (isUntouched(task) && Temporal.Instant.compare(window.raise, now) > 0) return 'scheduled';
  // Who was reminded of this very deadline stays so.
  return stage === 'reminded' && task.restriction?.period?.end === end ? 'reminded' : 'due';
}

const PRIORITIES = ['routine', 'urgent', 'asap', 'stat'] as const;

/** What somebody, or its being late, has made urgent stays so. */
function moreUrgent(known: Task['priority'], planned: Task['priority']): NonNullable<Task['priority']> {
  const rank = (priority: Task['priority']) => PRIORITIES.indexOf(priority ?? 'routine');
  return PRIORITIES[Math.max(rank(known), rank(planned))] ?? 'routine';
}
