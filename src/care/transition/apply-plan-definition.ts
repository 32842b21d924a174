// PlanDefinition/$apply for a discharge: the protocol's steps that apply become CarePlan, Goals, CareTeam, Tasks and
// ServiceRequests, as changes of one commit. Pure. https://hl7.org/fhir/R4/plandefinition-operation-apply.html

import type { Change } from '../../fhir/change.ts';
import { tokenText } from '../../fhir/search/token-text.ts';
import { windowOf } from '../deadline.ts';
import { derivedUrn } from '../derived-id.ts';
import type { Link } from '../reference-to.ts';
import { IDENTIFIER } from '../systems.ts';
import { activityLine, type PlannedActivity, writeCarePlan } from './care-plan.ts';
import { assembleCareTeam } from './care-team.ts';
import { formatKey, type PlanReferences, scheduleFollowUp } from './follow-up.ts';
import { setGoal } from './goal.ts';
import type { Protocol, ProtocolStep, RiskFacts } from './protocol.ts';
import { orderService } from './service-request.ts';
import type { TransitionContext } from './transition-context.ts';

type Create = Extract<Change, { op: 'create' }>;

export interface AppliedPlan {
  /** Every change has a fullUrl; they refer to each other by it. */
  readonly changes: readonly (Create & { readonly fullUrl: string })[];
  readonly careTeam: Link;
  readonly carePlan: Link;
  readonly followUps: number;
}

export interface ApplyOptions {
  /** Id of the EpisodeOfCare that the same commit creates. */
  readonly episode: string;
  /** fullUrl of the RiskAssessment that the same commit creates. */
  readonly risk: Link;
  /** Steps that an earlier plan has already seen through, with the Task that did; they are taken over, not repeated. */
  readonly done?: ReadonlyMap<string, Link>;
  /** Steps whose Task or order was another plan's so far; it stays, and nothing is made for them. */
  readonly taken?: ReadonlyMap<string, TakenActivity>;
  /** The team that there is already; one is formed when absent. */
  readonly careTeam?: Link | undefined;
}

export interface TakenActivity extends PlannedActivity {
  readonly isOpenTask: boolean;
}

/** Applies a protocol to a discharge. */
export function applyPlanDefinition(
  protocol: Protocol,
  context: TransitionContext,
  facts: RiskFacts,
  options: ApplyOptions,
): AppliedPlan {
  const plan = planReferences(protocol, options.episode, options.careTeam);
  const steps = protocol.steps.filter((step) => step.applies(context, facts));
  const taken = steps.flatMap(({ id }) => options.taken?.get(id) ?? []);
  const carried = steps.flatMap((step): PlannedActivity[] => {
    const known = options.taken?.get(step.id);
    if (known) return [known];
    const reference = options.done?.get(step.id);
    return reference ? [{ reference, line: doneLine(step) }] : [];
  });
  const made = steps
    .filter(({ id }) => !options.taken?.has(id) && !options.done?.has(id))
    .map((step) => applyStep(step, protocol.canonical, plan, context));
  const activities = [...carried, ...made.map(({ activity }) => activity)];
  const carePlan = writeCarePlan(protocol, activities, options.risk, plan, context);
  const goals = (protocol.definition.goal ?? []).map((goal) =>
    create(plan.goals.get(goal.id ?? '')?.reference ?? '', setGoal(goal, options.risk, context)),
  );
  return {
    changes: [
      ...(options.careTeam ? [] : [create(plan.careTeam.reference, assembleCareTeam(context))]),
      ...goals,
      create(plan.carePlan.reference, carePlan),
      ...made.map(({ change }) => change),
    ],
    careTeam: plan.careTeam,
    carePlan: plan.carePlan,
    followUps:
      made.filter(({ change }) => change.resource.resourceType === 'Task').length +
      taken.filter(({ isOpenTask }) => isOpenTask).length,
  };
}

/** What the plan of a transition and what it consists of are known by, in the commit that makes it. */
export function planReferences(protocol: Protocol, episode: string, careTeam?: Link): PlanReferences {
  const to = (...name: string[]) => ({ reference: derivedUrn(episode, ...name) });
  const goalIds = (protocol.definition.goal ?? []).flatMap(({ id }) => id ?? []);
  return {
    episode,
    carePlan: to('care-plan'),
    careTeam: careTeam ?? to('care-team'),
    goals: new Map(goalIds.map((id) => [id, to('goal', id)])),
  };
}

/** What a step becomes, counted from the discharge. @param protocol `url|version` */
export function applyStep(step: ProtocolStep, protocol: string, plan: PlanReferences, context: TransitionContext) {
  const window = windowOf(step.timing, context.anchor);
  const fullUrl = urlOfStep(plan.episode, step.id);
  const activity = { reference: { reference: fullUrl }, line: activityLine(titleOf(step), window.due, context) };
  if (step.activity.kind === 'ServiceRequest') {
    return { activity, change: create(fullUrl, orderService(step, window, plan, context)) };
  }
  const key = formatKey({ episode: plan.episode, step: step.id, occurrence: 1 });
  const query = new URLSearchParams({ identifier: tokenText(IDENTIFIER.followUp, key) });
  const change = create(fullUrl, scheduleFollowUp(step, protocol, window, plan, context));
  return { activity, change: { ...change, ifNoneExist: query.toString() } };
}

function create(fullUrl: string, resource: Create['resource']): Create & { readonly fullUrl: string } {
  return { op: 'create', resource, fullUrl };
}

/** The fullUrl of what a step becomes. */
export const urlOfStep = (episode: string, step: string) => derivedUrn(episode, 'step', step);

/** A step that was seen through, in words. */
export const doneLine = (step: ProtocolStep) => `${titleOf(step)}: done`;

/** How a person would name a step. */
export const titleOf = ({ action, activity, id }: ProtocolStep) => action.title ?? activity.title ?? id;
