// A follow-up: a Task whose window is in the resource (`restriction.period`), so that the store alone decides what is
// due. Its key `EPISODE|STEP|OCCURRENCE` is unique.
import type { Extension, Task } from '@medplum/fhirtypes';
import { isTerminal, type TaskStatus } from '../../fhir/status/task.ts';
import { reasonConcept, roleConcept, type TransitionReason } from '../concept.ts';
import type { Window } from '../deadline.ts';
import { localDay } from '../local-day.ts';
import { toFhirDateTime } from '../local-time.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { EXTENSION, IDENTIFIER } from '../systems.ts';
import { touched } from '../touched.ts';
import { newClock, writeClock } from './follow-up-clock.ts';
import { stageConcept } from './life.ts';
import type { ProtocolStep } from './protocol.ts';
import type { TransitionContext } from './transition-context.ts';

export interface FollowUpKey {
  /** Id of the transition's EpisodeOfCare. */
  readonly episode: string;
  /** Id of the protocol's step. */
  readonly step: string;
  readonly occurrence: number;
}

export function formatKey({ episode, step, occurrence }: FollowUpKey): string {
  return `${episode}|${step}|${occurrence}`;
}

/** The key of a follow-up; undefined for every other Task. */
export function followUpKey(task: Task): FollowUpKey | undefined {
  const value = task.identifier?.find(({ system }) => system === IDENTIFIER.followUp)?.value;
  const [, episode, step, occurrence] = /^([^|]+)\|([^|]+)\|(\d+)$/.exec(value ?? '') ?? [];
  return episode && step ? { episode, step, occurrence: Number(occurrence) } : undefined;
}

/** What a follow-up of a plan refers to; fullUrls within the commit that makes them. */
export interface PlanReferences {
  readonly episode: string;
  readonly carePlan: Link;
  readonly careTeam: Link;
  /** By `PlanDefinition.goal.id`. */
  readonly goals: ReadonlyMap<string, Link>;
}

/**
 * The Task of a step, waiting for its window.
 * @param protocol `url|version`
 */
export function scheduleFollowUp(
  step: ProtocolStep,
  protocol: string,
  window: Window,
  plan: PlanReferences,
  context: TransitionContext,
): Task {
  const { action, activity } = step;
  const authoredOn = toFhirDateTime(context.now, context.anchor.zone);
  const description = action.title ?? activity.title ?? step.id;
  const performers = (activity.participant ?? []).flatMap(({ role }) => (role ? [role] : []));
  const key = { episode: plan.episode, step: step.id, occurrence: 1 };
  const goals = goalLinks(step, plan);
  return {
    resourceType: 'Task',
    extension: [...goals, writeClock(newClock(protocol, step, window, context.anchor))],
    identifier: [{ system: IDENTIFIER.followUp, value: formatKey(key) }],
    ...(activity.url ? { instantiatesCanonical: activity.url } : {}),
    basedOn: [plan.carePlan],
    groupIdentifier: { system: IDENTIFIER.transitionPlan, value: plan.episode },
    status: 'requested',
    businessStatus: stageConcept('scheduled'),
    intent: 'order',
    priority: action.priority ?? activity.priority ?? 'routine',
    ...(activity.code ? { code: activity.code } : {}),
    description,
    for: referenceTo(context.patient),
    encounter: referenceTo(context.encounter),
    authoredOn,
    lastModified: authoredOn,
    ...(context.facility ? { requester: context.facility } : {}),
    performerType: performers.length > 0 ? performers : [roleConcept('case-manager')],
    owner: context.caseManager ?? plan.careTeam,
    restriction: { period: formatWindow(window, context.anchor.zone) },
    ...(activity.description ? { note: [{ text: activity.description }] } : {}),
  };
}

/** A window as `Task.restriction.period`, with the facility's offset, and the day that it ends on there. */
export function formatWindow({ raise, due }: Window, zone: string): FormattedWindow {
  return { extension: [localDay(due, zone)], start: toFhirDateTime(raise, zone), end: toFhirDateTime(due, zone) };
}

interface FormattedWindow {
  readonly extension: Extension[];
  readonly start: string;
  readonly end: string;
}

/** Links to the goals that a step works towards. */
export function goalLinks(step: ProtocolStep, plan: PlanReferences): Extension[] {
  const goals = (step.action.goalId ?? []).flatMap((id) => plan.goals.get(id) ?? []);
  return goals.map((valueReference) => ({ url: EXTENSION.pertainsToGoal, valueReference }));
}

/** Ids of the goals that a follow-up works towards, e.g. `Goal/12`. */
export function goalsOf(task: Task): string[] {
  const links = (task.extension ?? []).filter(({ url }) => url === EXTENSION.pertainsToGoal);
  return links.flatMap(({ valueReference }) => valueReference?.reference ?? []);
}

/** The Task cancelled with a reason; undefined when it has ended already and stays as it is. */
export function cancelFollowUp(task: Task, reason: TransitionReason, now: Temporal.Instant): Task | undefined {
  if (isTerminal(task.status)) return undefined;
  const businessStatus = stageConcept('withdrawn');
  return touched({ ...task, status: 'cancelled', statusReason: reasonConcept(reason), businessStatus }, now);
}

/** Nobody has begun to work on it, so its window may still be moved. */
export function isUntouched({ status }: Task): boolean {
  return (['draft', 'requested', 'received'] as TaskStatus[]).includes(status);
}
