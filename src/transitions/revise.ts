// The changes that a corrected discharge calls for while its transition is under way.
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { windowOf } from '../care/deadline.ts';
import { toFhirDateTime, toLastInstant } from '../care/local-time.ts';
import { type Link, referenceTo } from '../care/reference-to.ts';
import { touched } from '../care/touched.ts';
import { titleOf } from '../care/transition/apply-plan-definition.ts';
import { activityLine, moveCarePlan } from '../care/transition/care-plan.ts';
import { doneAt } from '../care/transition/ending.ts';
import { encounterOfEpisode, keyOfEpisode, moveEpisode, transitionKey } from '../care/transition/episode.ts';
import { followUpKey, formatWindow, isUntouched } from '../care/transition/follow-up.ts';
import { clockOf, newClock, withClock } from '../care/transition/follow-up-clock.ts';
import { moveGoal } from '../care/transition/goal.ts';
import { isMissed, type Stage, stageConcept, stageOf } from '../care/transition/life.ts';
import type { Protocol, ProtocolStep } from '../care/transition/protocol.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import type { Change } from '../fhir/change.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { LivePlan } from './live-plan.ts';
import { updatesWithProvenance } from './withdraw.ts';

/** True when the plan was made from this protocol, in whatever version. */
export function follows({ carePlan }: LivePlan, protocol: Protocol): boolean {
  return (
    carePlan?.instantiatesCanonical?.some((canonical) => canonical.split('|')[0] === protocol.definition.url) ?? false
  );
}

/** True when the transition counts from this discharge already. */
export function isAnchoredAt({ episode }: LivePlan, { encounter, anchor }: TransitionContext): boolean {
  return keyOfEpisode(episode) === transitionKey(encounter.id ?? '', anchor.discharge);
}

/**
 * Steps that were seen through since the discharge, by id, with the Task that did; what was done before it does not count for it.
 * @param plans of all transitions of the stay, the newest last
 */
export function completedSteps(plans: readonly LivePlan[], { anchor }: TransitionContext): Map<string, Link> {
  const isSince = (done = '') => Temporal.Instant.compare(toLastInstant(done, anchor.zone), anchor.discharge) >= 0;
  const tasks = plans.flatMap((plan) => plan.tasks);
  const completed = tasks.filter((task) => task.status === 'completed' && isSince(doneAt(task)));
  return new Map(
    completed.flatMap((task): [string, Link][] => {
      const key = followUpKey(task);
      return key ? [[key.step, referenceTo(task)]] : [];
    }),
  );
}

/** Counts the follow-ups that are not done, and the plan around them, from the corrected discharge. */
export function planMove(
  plan: LivePlan,
  protocol: Protocol,
  context: TransitionContext,
): { changes: Change[]; moved: number } {
  const moved = plan.tasks.flatMap((task) => moveFollowUp(task, protocol, context));
  const orders = plan.orders.flatMap((order) => moveOrder(order, protocol, context));
  const start = toFhirDateTime(context.anchor.discharge, context.anchor.zone);
  const changed = [
    moveEpisode(plan.episode, context),
    ...moved,
    ...orders,
    ...plan.goals.map((goal) => moveGoal(goal, context)),
    ...plan.teams.map((team) => ({ ...team, period: { ...team.period, start } })),
    plan.carePlan && moveCarePlan(plan.carePlan, linesOf(plan, [...moved, ...orders], protocol, context), context),
  ];
  const source = `Encounter/${encounterOfEpisode(plan.episode)}`;
  return { changes: updatesWithProvenance(changed, source, context.now), moved: moved.length };
}

/** A follow-up counted from the corrected moment; nothing for one that somebody has begun, or that is late. */
export function moveFollowUp(task: Task, protocol: Protocol, context: TransitionContext): Task[] {
  const step = protocol.steps.find(({ id }) => id === followUpKey(task)?.step);
  const stage = stageOf(task);
  // That somebody was told that it is late is not taken back by a correction.
  if (!step || isTerminal(task.status) || isMissed(task)) return [];
  const { cycle, fixed, deadline } = clockOf(task);
  const window = windowOf(step.timing, context.anchor);
  // What somebody has agreed on stays, unless it would be before the step can begin.
  if (fixed && deadline && Temporal.Instant.compare(Temporal.Instant.from(deadline), window.raise) > 0) return [];
  const waits = isUntouched(task) && Temporal.Instant.compare(window.raise, context.now) > 0;
  const restriction = { ...task.restriction, period: formatWindow(window, context.anchor.zone) };
  // Who was reminded of this very deadline stays so.
  const isSameDeadline = task.restriction?.period?.end === restriction.period.end;
  const again: Stage | undefined = stage === 'reminded' && !isSameDeadline ? 'due' : stage;
  const next: Stage | undefined = waits && stage !== 'credited' ? 'scheduled' : again;
  // Who was told of a miss before is told of another one.
  const clock = { ...newClock(protocol.canonical, step, window, context.anchor), cycle };
  const moved = { ...withClock(task, clock), restriction, ...(next ? { businessStatus: stageConcept(next) } : {}) };
  return [touched(moved, context.now)];
}

function moveOrder(order: ServiceRequest, protocol: Protocol, context: TransitionContext): ServiceRequest[] {
  const step = stepOfOrder(order, protocol);
  if (!step || order.status !== 'active') return [];
  return [{ ...order, occurrencePeriod: formatWindow(windowOf(step.timing, context.anchor), context.anchor.zone) }];
}

function stepOfOrder({ instantiatesCanonical }: ServiceRequest, { steps }: Protocol): ProtocolStep | undefined {
  return steps.find(({ activity }) => activity.url && instantiatesCanonical?.includes(activity.url));
}

/** The plan's activities in words, with the deadlines they have after the move. */
export function linesOf(
  { carePlan, tasks, orders }: LivePlan,
  moved: readonly (Task | ServiceRequest)[],
  protocol: Protocol,
  context: TransitionContext,
): string[] {
  const byReference = new Map(
    [...tasks, ...orders, ...moved].map((activity) => [referenceTo(activity).reference, activity]),
  );
  return (carePlan?.activity ?? []).flatMap(({ reference }) => {
    const activity = byReference.get(reference?.reference ?? '');
    if (!activity) return [];
    const order = activity.resourceType === 'ServiceRequest' ? activity : undefined;
    const step = order && stepOfOrder(order, protocol);
    const title = activity.resourceType === 'Task' ? activity.description : step && titleOf(step);
    const due = activity.resourceType === 'Task' ? activity.restriction?.period?.end : order?.occurrencePeriod?.end;
    return title && due ? [activityLine(title, toLastInstant(due, context.anchor.zone), context)] : [];
  });
}
