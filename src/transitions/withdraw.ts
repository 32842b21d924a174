// The changes that take a transition back. What has been done stays as it is; what has not will not be.
import type { CareTeam, CommunicationRequest, Goal, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { reasonConcept, type TransitionReason } from '../care/concept.ts';
import { referenceTo } from '../care/reference-to.ts';
import { closeCarePlan } from '../care/transition/care-plan.ts';
import { encounterOfEpisode, endEpisode } from '../care/transition/episode.ts';
import { cancelFollowUp } from '../care/transition/follow-up.ts';
import { attribute } from '../care/transition/provenance.ts';
import type { Change } from '../fhir/change.ts';
import { CARE_TEAM } from '../fhir/status/care-team.ts';
import { GOAL } from '../fhir/status/goal.ts';
import { isEnd } from '../fhir/status/machine.ts';
import { SERVICE_REQUEST } from '../fhir/status/request.ts';
import type { LivePlan } from './live-plan.ts';

export function planWithdrawal(plan: LivePlan, reason: TransitionReason, now: Temporal.Instant): Change[] {
  const changed = [endEpisode(plan.episode, now, reason), ...endOfPlan(plan, reason, now)];
  return updatesWithProvenance(changed, `Encounter/${encounterOfEpisode(plan.episode)}`, now);
}

/** The same for a transition whose episode has been ended already; nothing when there is nothing left to end. */
export function planEndOfPlan(plan: LivePlan, reason: TransitionReason, now: Temporal.Instant): Change[] {
  const changed = endOfPlan(plan, reason, now).filter((resource) => resource !== undefined);
  if (changed.length === 0) return [];
  return updatesWithProvenance(changed, `Encounter/${encounterOfEpisode(plan.episode)}`, now);
}

function endOfPlan(plan: LivePlan, reason: TransitionReason, now: Temporal.Instant): (Resource | undefined)[] {
  const { carePlan, tasks, orders, reminders, goals, teams } = plan;
  return [
    carePlan && closeCarePlan(carePlan, 'revoked', reason),
    ...tasks.map((task) => cancelFollowUp(task, reason, now)),
    ...orders.map(revokeOrder),
    ...reminders.map((reminder) => revokeReminder(reminder, reason)),
    ...goals.map((goal) => cancelGoal(goal, reason)),
    ...teams.map((team) => dissolveTeam(team, now)),
  ];
}

/** Updates that hold only against the versions that were read, and the Provenance of all of them. */
export function updatesWithProvenance(
  changed: readonly (Resource | undefined)[],
  source: string,
  now: Temporal.Instant,
): Change[] {
  const resources = changed.filter((resource) => resource !== undefined);
  const updates = resources.map((resource): Change => ({ op: 'update', resource, ifMatch: resource.meta?.versionId }));
  const provenance = attribute(resources.map(referenceTo), source, 'UPDATE', now);
  return [...updates, { op: 'create', resource: provenance }];
}

/** The team of a transition that is over; undefined when it was dissolved before. */
export function dissolveTeam(team: CareTeam, now: Temporal.Instant): CareTeam | undefined {
  if (team.status && isEnd(CARE_TEAM, team.status)) return undefined;
  const began = team.period?.start?.includes('T') ? Temporal.Instant.from(team.period.start) : now;
  const end = Temporal.Instant.compare(now, began) < 0 ? began : now;
  return { ...team, status: 'inactive', period: { ...team.period, end: end.toString({ smallestUnit: 'second' }) } };
}

function revokeOrder(order: ServiceRequest): ServiceRequest | undefined {
  return isEnd(SERVICE_REQUEST, order.status) ? undefined : { ...order, status: 'revoked' };
}

function revokeReminder(reminder: CommunicationRequest, reason: TransitionReason): CommunicationRequest {
  return { ...reminder, status: 'revoked', statusReason: reasonConcept(reason) };
}

function cancelGoal(goal: Goal, reason: TransitionReason): Goal | undefined {
  return isEnd(GOAL, goal.lifecycleStatus)
    ? undefined
    : { ...goal, lifecycleStatus: 'cancelled', statusReason: reasonConcept(reason).text };
}
