// What follows when a follow-up ends: its reminders and its escalation are settled, and when it was the last one the
// transition is closed and its goals are judged.
import type { CarePlan, Goal, Resource, Task } from '@medplum/fhirtypes';
import { IDENTIFIER } from '../care/systems.ts';
import { closeCarePlan } from '../care/transition/care-plan.ts';
import { withEnding } from '../care/transition/ending.ts';
import { encounterOfEpisode, endEpisode } from '../care/transition/episode.ts';
import { escalates } from '../care/transition/escalation.ts';
import { cancelFollowUp, followUpKey, formatKey, goalsOf } from '../care/transition/follow-up.ts';
import { concludeGoal } from '../care/transition/goal.ts';
import { stageOf } from '../care/transition/life.ts';
import { aboutKey } from '../care/transition/reminder.ts';
import type { Change } from '../fhir/change.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { Aims, FollowUps } from './live-plan.ts';
import { dissolveTeam, updatesWithProvenance } from './withdraw.ts';

const NONE: Aims = { goals: [], teams: [] };

export interface Settlement {
  readonly changes: Change[];
  /** The transition is over. */
  readonly closes: boolean;
}

/**
 * @param plan as it is now
 * @param aimsOf read only when the transition closes
 * @param zone of the facility, for the day that goals are judged on
 */
export async function planSettlement(
  plan: FollowUps,
  aimsOf: (carePlan: CarePlan) => Promise<Aims>,
  zone: string,
  now: Temporal.Instant,
): Promise<Settlement> {
  const ended = plan.tasks.filter(({ status }) => isTerminal(status));
  const judged = ended.flatMap((task) => withEnding(task, zone) ?? []);
  const resolved = plan.tasks.flatMap((task) => cancelWhenResolved(task, ended, now));
  const over = new Set([...ended, ...resolved].map(({ id }) => id));
  // No follow-up at all means that somebody has hidden them, not that they have ended.
  const closes = plan.tasks.length > 0 && plan.tasks.every(({ id }) => over.has(id));
  const endedKeys = new Set([...ended, ...resolved].flatMap(keyText));
  const told = plan.reminders
    .filter(({ identifier }) => closes || identifier?.some((one) => isReminderOf(one, endedKeys)))
    .map((reminder): Resource => ({ ...reminder, status: 'completed' }));
  const closed = closes ? closing(plan, plan.carePlan ? await aimsOf(plan.carePlan) : NONE, zone, now) : [];
  const changed = [...judged, ...resolved, ...told, ...closed];
  if (changed.length === 0) return { changes: [], closes };
  return { changes: updatesWithProvenance(changed, `Encounter/${encounterOfEpisode(plan.episode)}`, now), closes };
}

/** An open escalation of a follow-up that has ended. */
function cancelWhenResolved(task: Task, ended: readonly Task[], now: Temporal.Instant): Task[] {
  const own = followUpKey(task);
  const settled = ended.some((other) => {
    const key = followUpKey(other);
    return own && key && escalates(own, key);
  });
  const cancelled = settled ? cancelFollowUp(task, 'resolved', now) : undefined;
  return cancelled ? [cancelled] : [];
}

function closing(
  { episode, carePlan, tasks }: FollowUps,
  { goals, teams }: Aims,
  zone: string,
  now: Temporal.Instant,
): (Resource | undefined)[] {
  const today = now.toZonedDateTimeISO(zone).toPlainDate();
  const open = goals.filter(({ lifecycleStatus }) => lifecycleStatus === 'active' || lifecycleStatus === 'accepted');
  return [
    endEpisode(episode, now),
    ...(carePlan ? [closeCarePlan(carePlan, 'completed')] : []),
    ...open.map((goal) => concludeGoal(goal, isEarned(goal, tasks), today)),
    ...teams.map((team) => dissolveTeam(team, now)),
  ];
}

/** Every follow-up that works towards the goal was completed, and not only by the credit that attempts earn. */
function isEarned(goal: Goal, tasks: readonly Task[]): boolean {
  const towards = tasks.filter((task) => goalsOf(task).includes(`Goal/${goal.id}`));
  return towards.every(
    (task) => task.status === 'entered-in-error' || (task.status === 'completed' && stageOf(task) !== 'done-by-credit'),
  );
}

function isReminderOf(identifier: { system?: string; value?: string }, keys: ReadonlySet<string>): boolean {
  return identifier.system === IDENTIFIER.reminder && keys.has(aboutKey(identifier.value ?? ''));
}

function keyText(task: Task): string[] {
  const key = followUpKey(task);
  return key ? [formatKey(key)] : [];
}
