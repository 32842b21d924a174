// Plans a transition that is under way anew, under the protocols as they are now: shown as a difference first, carried out only
// as it was shown. What is done stays done.
import { createHash } from 'node:crypto';
import type { CarePlan, EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { findResources, readResource } from '../care/stored.ts';
import { encounterOfEpisode, isLive, isTransition } from '../care/transition/episode.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import { Fault } from '../fault.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { startReaction } from './begin.ts';
import { decide } from './decide.ts';
import { gatherFacts } from './facts.ts';
import { type LivePlan, readLivePlan } from './live-plan.ts';
import { ACTOR, type Parts } from './parts.ts';
import { both, type Reaction, withdrawAll } from './reaction.ts';
import { completedSteps } from './revise.ts';
import { laterStay } from './stays.ts';

export interface StepDifference {
  readonly step: string;
  readonly change: 'done' | 'same' | 'moved' | 'added' | 'withdrawn';
  /** FHIR dateTimes. */
  readonly before?: { readonly from?: string; readonly due?: string };
  readonly after?: { readonly from?: string; readonly due?: string };
}

export interface Replan {
  readonly episode: string;
  /** Canonicals of the PlanDefinitions. */
  readonly from: string | null;
  readonly to: string;
  readonly steps: readonly StepDifference[];
  /** Of what is shown; to be given back when it is to be carried out. */
  readonly tag: string;
  /** The transition that has taken the place of this one, once it is carried out. */
  readonly carriedOut?: string;
}

/**
 * @param seen tag of the difference that is to be carried out; only shown when absent
 * @throws Fault not-found when there is no such transition, unprocessable when it cannot be planned anew, conflict when it has
 * changed since it was shown
 */
export async function replan(parts: Parts, id: string, seen: string | undefined): Promise<Replan> {
  const { store } = parts;
  const episode = await readResource(store, 'EpisodeOfCare', id);
  if (!episode) throw new Fault('not-found', `There is no EpisodeOfCare/${id}.`);
  if (!isTransition(episode)) throw new Fault('unprocessable', `EpisodeOfCare/${id} is no transition of care.`);
  if (!isLive(episode)) throw new Fault('unprocessable', `EpisodeOfCare/${id} has ended; nothing is left to plan.`);
  const plan = await readLivePlan(store, episode);
  const { reaction, to } = await planAnew(parts, episode, plan);
  const steps = differences(plan.tasks, tasksIn(reaction), new Set(completedSteps(plan).keys()));
  const from = canonicalOf(plan.carePlan);
  const shown = { episode: id, from, to, steps };
  const tag = createHash('sha256')
    .update(JSON.stringify([shown, versionsOf(plan)]))
    .digest('hex')
    .slice(0, 24);
  if (seen === undefined) return { ...shown, tag };
  if (seen !== tag) throw new Fault('conflict', 'The transition has changed since it was shown; look at it again.');
  const outcomes = await store.commit(ACTOR, reaction.changes);
  const events = reaction.events(outcomes);
  for (const event of events) parts.emit(event);
  const started = events.find((event) => event.kind === 'transition-started');
  return { ...shown, tag, ...(started ? { carriedOut: started.episode } : {}) };
}

async function planAnew(
  parts: Parts,
  episode: EpisodeOfCare,
  plan: LivePlan,
): Promise<{ reaction: Reaction; to: string }> {
  const { store, rules, clock } = parts;
  const stay = encounterOfEpisode(episode);
  const encounter = await readResource(store, 'Encounter', stay);
  const learned = encounter?.meta?.lastUpdated ?? clock.now().toString();
  const facts = encounter && (await gatherFacts(parts, encounter, learned));
  if (!facts)
    throw new Fault('unprocessable', 'The encounter or the patient of the transition is not stored any more.');
  const decision = decide(facts, rules, await laterStay(parts, facts.context));
  if (!decision.start) {
    throw new Fault('unprocessable', `No protocol would begin for this discharge now (${decision.reason}).`);
  }
  const all = await findResources(store, 'EpisodeOfCare', { encounter: `Encounter/${stay}` });
  const episodes = all.filter(isTransition);
  const ended = await withdrawAll(store, [episode], 'superseded', clock.now());
  const begun = startReaction(facts, decision, episodes, { done: completedSteps(plan) });
  return { reaction: both(ended, begun), to: decision.protocol.canonical };
}

function tasksIn({ changes }: Reaction): Task[] {
  return changes.flatMap((change) =>
    change.op === 'create' && change.resource.resourceType === 'Task' ? [change.resource] : [],
  );
}

function differences(before: readonly Task[], after: readonly Task[], done: ReadonlySet<string>): StepDifference[] {
  const open = byStep(before.filter(({ status }) => !isTerminal(status)));
  const planned = byStep(after);
  const steps = [...new Set([...done, ...open.keys(), ...planned.keys()])].sort();
  return steps.map((step): StepDifference => {
    if (done.has(step)) return { step, change: 'done' };
    const [was, is] = [windowOf(open.get(step)), windowOf(planned.get(step))];
    if (!is) return { step, change: 'withdrawn', ...(was ? { before: was } : {}) };
    if (!was) return { step, change: 'added', after: is };
    const isSame = was.from === is.from && was.due === is.due;
    return { step, change: isSame ? 'same' : 'moved', before: was, after: is };
  });
}

function byStep(tasks: readonly Task[]): Map<string, Task> {
  return new Map(tasks.flatMap((task) => [[followUpKey(task)?.step ?? '', task] as const]).filter(([step]) => step));
}

function windowOf(task: Task | undefined) {
  if (!task) return undefined;
  const { start, end } = task.restriction?.period ?? {};
  return { ...(start ? { from: start } : {}), ...(end ? { due: end } : {}) };
}

const canonicalOf = (plan: CarePlan | undefined) => plan?.instantiatesCanonical?.[0] ?? null;

function versionsOf({ episode, carePlan, tasks }: LivePlan): (string | undefined)[] {
  return [episode, carePlan, ...tasks].map((resource) => resource && `${resource.id}/${resource.meta?.versionId}`);
}
