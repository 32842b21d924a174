// All that belongs to a transition, read from the store.

import type {
  CarePlan,
  CareTeam,
  CommunicationRequest,
  EpisodeOfCare,
  Goal,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { findResources, idOf, readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import type { Store } from '../store/store.ts';

export interface LivePlan {
  readonly episode: EpisodeOfCare;
  readonly carePlan: CarePlan | undefined;
  /** Follow-ups and their escalations. */
  readonly tasks: readonly Task[];
  readonly orders: readonly ServiceRequest[];
  readonly reminders: readonly CommunicationRequest[];
  readonly goals: readonly Goal[];
  readonly teams: readonly CareTeam[];
}

/** What tells whether a transition goes on; what else belongs to it matters when it ends. */
export type FollowUps = Pick<LivePlan, 'episode' | 'carePlan' | 'tasks' | 'reminders'>;

export async function readLivePlan(store: Store, episode: EpisodeOfCare): Promise<LivePlan> {
  const followUps = await readFollowUps(store, episode);
  const { carePlan } = followUps;
  if (!carePlan) return { ...followUps, orders: [], goals: [], teams: [] };
  const [orders, aims] = await Promise.all([
    findResources(store, 'ServiceRequest', { 'based-on': `CarePlan/${carePlan.id}` }),
    readAims(store, carePlan),
  ]);
  return { ...followUps, orders, ...aims };
}

export async function readFollowUps(store: Store, episode: EpisodeOfCare): Promise<FollowUps> {
  const identifier = tokenText(IDENTIFIER.transitionPlan, episode.id ?? '');
  const [[carePlan], grouped] = await Promise.all([
    findResources(store, 'CarePlan', { identifier }),
    findResources(store, 'Task', { 'group-identifier': identifier }),
  ]);
  if (!carePlan) return { episode, carePlan, tasks: grouped, reminders: [] };
  const of = { 'based-on': `CarePlan/${carePlan.id}` };
  const [based, reminders] = await Promise.all([
    findResources(store, 'Task', of),
    findResources(store, 'CommunicationRequest', { ...of, status: 'active' }),
  ]);
  // By both: whoever changed a Task may have taken one of them away.
  const tasks = [...new Map([...based, ...grouped].map((task) => [task.id, task])).values()];
  return { episode, carePlan, tasks, reminders };
}

/** What a plan works towards, and who does. */
export type Aims = Pick<LivePlan, 'goals' | 'teams'>;

export async function readAims(store: Store, { goal = [], careTeam = [] }: CarePlan): Promise<Aims> {
  const [goals, teams] = await Promise.all([
    Promise.all(goal.map((one) => readResource(store, 'Goal', idOf(one, 'Goal')))),
    Promise.all(careTeam.map((one) => readResource(store, 'CareTeam', idOf(one, 'CareTeam')))),
  ]);
  return {
    goals: goals.filter((one) => one !== undefined),
    teams: teams.filter((one) => one !== undefined),
  };
}
