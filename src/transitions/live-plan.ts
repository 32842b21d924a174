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

export async function readLivePlan(store: Store, episode: EpisodeOfCare): Promise<LivePlan> {
  const identifier = tokenText(IDENTIFIER.transitionPlan, episode.id ?? '');
  const [[carePlan], grouped] = await Promise.all([
    findResources(store, 'CarePlan', { identifier }),
    findResources(store, 'Task', { 'group-identifier': identifier }),
  ]);
  if (!carePlan) return { episode, carePlan, tasks: grouped, orders: [], reminders: [], goals: [], teams: [] };
  const of = { 'based-on': `CarePlan/${carePlan.id}` };
  const [based, orders, reminders, goals, teams] = await Promise.all([
    findResources(store, 'Task', of),
    findResources(store, 'ServiceRequest', of),
    findResources(store, 'CommunicationRequest', { ...of, status: 'active' }),
    Promise.all((carePlan.goal ?? []).map((goal) => readResource(store, 'Goal', idOf(goal, 'Goal')))),
    Promise.all((carePlan.careTeam ?? []).map((team) => readResource(store, 'CareTeam', idOf(team, 'CareTeam')))),
  ]);
  return {
    episode,
    carePlan,
    // By both: whoever changed a Task may have taken one of them away.
    tasks: [...new Map([...based, ...grouped].map((task) => [task.id, task])).values()],
    orders,
    reminders,
    goals: goals.filter((goal) => goal !== undefined),
    teams: teams.filter((team) => team !== undefined),
  };
}
