// The plan of a transition gives way to another one. What stands in both is taken over as it is: the same Task with its attempts,
// its owner and what has been told of it. What stands in the old one only is withdrawn.
import type { CareTeam, EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { toFhirDateTime, toLastInstant } from '../care/local-time.ts';
import { type Link, referenceTo } from '../care/reference-to.ts';
import { idOf, readResource } from '../care/stored.ts';
import { doneLine, planReferences, type TakenActivity, titleOf } from '../care/transition/apply-plan-definition.ts';
import { activityLine } from '../care/transition/care-plan.ts';
import { continuedBy } from '../care/transition/chain.ts';
import { encounterOfEpisode, episodeIdFor } from '../care/transition/episode.ts';
import { escalates } from '../care/transition/escalation.ts';
import { followUpKey, isUntouched } from '../care/transition/follow-up.ts';
import { isMissed, stageConcept, stageOf } from '../care/transition/life.ts';
import type { ProtocolStep } from '../care/transition/protocol.ts';
import { riskFacts } from '../care/transition/risk-assessment.ts';
import { isOrderOf, isTaskOf, takeOver, takeOverEscalation, takeOverOrder } from '../care/transition/taken-over.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import type { Change } from '../fhir/change.ts';
import { CARE_TEAM } from '../fhir/status/care-team.ts';
import { isEnd } from '../fhir/status/machine.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { Store } from '../store/store.ts';
import { startReaction } from './begin.ts';
import type { Decision } from './decide.ts';
import type { DischargeFacts } from './facts.ts';
import type { LivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { both, type Reaction } from './reaction.ts';
import { type StepChange, stepChanges, type Taken } from './step-changes.ts';
import { messagesOf, movedMessages, toldOf } from './told-of-plan.ts';
import { recounted } from './upkeep.ts';
import { planWithdrawal, updatesWithProvenance } from './withdraw.ts';

export interface Replacement {
  readonly reaction: Reaction;
  readonly steps: readonly StepChange[];
}

/** @param episodes all transitions of the encounter */
export async function replacePlan(
  parts: Parts,
  plan: LivePlan,
  facts: DischargeFacts,
  decision: Extract<Decision, { start: true }>,
  episodes: readonly EpisodeOfCare[],
): Promise<Replacement> {
  const { store } = parts;
  const { context } = facts;
  const { protocol } = decision;
  const team = plan.teams.find(({ status }) => !(status && isEnd(CARE_TEAM, status)));
  const careTeam = team && referenceTo(team);
  const episode = episodeIdFor(context.encounter.id ?? '', context.anchor.discharge, episodes.length);
  const references = planReferences(protocol, episode, careTeam);
  const steps = protocol.steps.filter((step) => step.applies(context, riskFacts(decision.risk)));
  const messages = await messagesOf(store, plan);
  const place = { protocol: protocol.canonical, plan: references, context };
  const taken: Taken[] = [];
  for (const step of steps) {
    const task = taskOf(plan, step);
    const order = plan.orders.find((one) => isOrderOf(step, one) && !taken.some(({ before }) => before === one));
    if (task) {
      const after = takeOver(task, toldOf(task, messages), { ...place, step });
      taken.push({ step, before: task, after: await credited(parts, after, context) });
    } else if (order) taken.push({ step, before: order, after: takeOverOrder(order, { ...place, step }) });
  }
  const done = await doneBefore(store, plan);
  const escalations = plan.tasks.filter((task) => taken.some((one) => isStillAbout(task, one)));
  const moved = movedMessages(messages, [...taken.map(({ before }) => before), ...escalations], references);
  const carried = [
    ...(team ? movedTeam(team, context) : []),
    ...taken.map(({ after }) => after),
    ...escalations.map((task) => takeOverEscalation(task, references)),
    ...moved,
  ];
  const ended = withdrawn(without(plan, [...carried, ...(team ? [team] : [])]), context.now);
  const begun = startReaction(facts, decision, episodes, {
    ...{ done, careTeam },
    taken: new Map(taken.map((one) => [one.step.id, activityOf(one, context)])),
    continues: continuedBy(plan.episode).map((link) => ({ id: idOf(link, 'EpisodeOfCare') }) as EpisodeOfCare),
  });
  const source = `Encounter/${encounterOfEpisode(plan.episode)}`;
  const kept: Change[] = carried.length > 0 ? updatesWithProvenance(carried, source, context.now) : [];
  return {
    reaction: both(both(ended, begun), { changes: kept, events: () => [] }),
    steps: stepChanges(plan, taken, steps, begun, episode),
  };
}

/** The open follow-up of a step, else the one that saw it through. What was given up or taken back does not count. */
function taskOf({ tasks }: LivePlan, step: ProtocolStep): Task | undefined {
  const own = tasks.filter((task) => followUpKey(task)?.step === step.id && isTaskOf(step, task));
  return own.find(({ status }) => !isTerminal(status)) ?? own.find(({ status }) => status === 'completed');
}

/** Attempts that were in time for one deadline need not be for another. */
async function credited(parts: Parts, task: Task, { anchor, now }: TransitionContext): Promise<Task> {
  if (isTerminal(task.status)) return task;
  const counted = (await recounted(parts, task, anchor.discharge, anchor.zone)) ?? task;
  const start = counted.restriction?.period?.start;
  const isAhead = start !== undefined && Temporal.Instant.compare(Temporal.Instant.from(start), now) > 0;
  const isUncredited = stageOf(task) === 'credited' && stageOf(counted) === 'due';
  return isUncredited && isAhead && isUntouched(counted)
    ? { ...counted, businessStatus: stageConcept('scheduled') }
    : counted;
}

/** A supervisor's Task about a follow-up that is taken over, but an open one about what is late no longer. */
function isStillAbout(task: Task, { before, after }: Taken): boolean {
  if (before.resourceType !== 'Task' || after.resourceType !== 'Task') return false;
  const [above, key] = [followUpKey(task), followUpKey(before)];
  if (!above || !key || !escalates(above, key)) return false;
  return isTerminal(task.status) || isTerminal(after.status) || isMissed(after);
}

/** Steps that were seen through under a plan before this one, which only refers to them. */
async function doneBefore(store: Store, { carePlan, tasks }: LivePlan): Promise<Map<string, Link>> {
  const own = new Set(tasks.map(({ id }) => id));
  const others = (carePlan?.activity ?? []).flatMap(({ reference }) => {
    const id = idOf(reference, 'Task');
    return id && !own.has(id) ? [id] : [];
  });
  const read = await Promise.all(others.map((id) => readResource(store, 'Task', id)));
  return new Map(
    read.flatMap((task): [string, Link][] => {
      const key = task?.status === 'completed' ? followUpKey(task) : undefined;
      return task && key ? [[key.step, referenceTo(task)]] : [];
    }),
  );
}

/** The team goes on, counted from the discharge as it is told now. */
function movedTeam(team: CareTeam, { anchor }: TransitionContext): CareTeam[] {
  const start = toFhirDateTime(anchor.discharge, anchor.zone);
  return team.period?.start === start ? [] : [{ ...team, period: { ...team.period, start } }];
}

/** What ends with the plan. */
function without(
  plan: LivePlan,
  carried: readonly { readonly resourceType: string; readonly id?: string }[],
): LivePlan {
  const kept = new Set(carried.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const left = <R extends { resourceType: string; id?: string }>(all: readonly R[]) =>
    all.filter((one) => !kept.has(referenceTo(one).reference));
  return {
    ...plan,
    tasks: left(plan.tasks),
    orders: left(plan.orders),
    reminders: left(plan.reminders),
    teams: left(plan.teams),
  };
}

function withdrawn(plan: LivePlan, now: Temporal.Instant): Reaction {
  const encounter = encounterOfEpisode(plan.episode) ?? '';
  return {
    changes: planWithdrawal(plan, 'superseded', now),
    events: () => [{ kind: 'transition-withdrawn', episode: plan.episode.id ?? '', encounter, reason: 'superseded' }],
  };
}

function activityOf({ step, after }: Taken, context: TransitionContext): TakenActivity {
  const due = after.resourceType === 'Task' ? after.restriction?.period?.end : after.occurrencePeriod?.end;
  const line =
    after.status === 'completed' || !due
      ? doneLine(step)
      : activityLine(titleOf(step), toLastInstant(due, context.anchor.zone), context);
  return {
    reference: referenceTo(after),
    line,
    isOpenTask: after.resourceType === 'Task' && !isTerminal(after.status),
  };
}
