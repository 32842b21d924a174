// A follow-up has missed its deadline: it becomes overdue and more urgent, and climbs its ladder: the owner is told, then a
// backup, then a supervisor gets a Task about it. Each step of the ladder is taken once; acknowledging it puts the next off.

import type { CommunicationRequest, Organization, Reference, Task } from '@medplum/fhirtypes';
import { nextBusinessDayEnd } from '../care/deadline.ts';
import { derivedUrn } from '../care/derived-id.ts';
import { toFhirDateTime, toInstant, toLastInstant } from '../care/local-time.ts';
import { readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { touched } from '../care/touched.ts';
import { escalate, escalationKey, isEscalation, markOverdue } from '../care/transition/escalation.ts';
import { type FollowUpKey, followUpKey, formatKey } from '../care/transition/follow-up.ts';
import { clockOf, type FollowUpClock, withClock } from '../care/transition/follow-up-clock.ts';
import { type Stage, stageAfter, stageConcept, stageOf } from '../care/transition/life.ts';
import { stepOf } from '../care/transition/protocol.ts';
import { messageKey, remindOwner } from '../care/transition/reminder.ts';
import { LADDER, type Rung, rungAt, type Told } from '../care/transition/step-life.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { isTerminal } from '../fhir/status/task.ts';
import { type Act, changeTask } from './act.ts';
import type { Place } from './facilities.ts';
import { backupsOf, namedOnTeam, ownerOrStandIn } from './named-on-team.ts';
import type { Parts } from './parts.ts';
import { reminderQuery } from './raise.ts';
import { secondsBetween } from './seconds-between.ts';

/** What a follow-up that climbs is about. */
interface Climb {
  readonly key: FollowUpKey;
  readonly due: string;
  readonly place: Place;
  readonly facility: Reference<Organization> | undefined;
  readonly clock: FollowUpClock;
  readonly now: Temporal.Instant;
}

export async function planEscalation(parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const due = task.restriction?.period?.end;
  const clock = clockOf(task);
  const stage = stageOf(task);
  const taken = stage && takenAt(stage, clock.rung);
  if (!key || !due || taken === undefined || isTerminal(task.status)) return undefined;
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  const facility = episode?.managingOrganization;
  const place = await parts.facilities.placeOf(facility);
  const deadline = toLastInstant(due, place.zone);
  const waitsUntil = taken === 0 ? deadline : clock.escalateAt && toInstant(clock.escalateAt, place.zone);
  // Somebody gave it a deadline without a time of day and the day is not over, or nobody is left to tell.
  if (!waitsUntil || Temporal.Instant.compare(waitsUntil, now) > 0) return undefined;
  const climb: Climb = { key, due, place, facility, clock, now };
  const ladder = ladderOf(parts, climb);
  const rungs = dueRungs(ladder, taken, deadline, place, now);
  const overdue = climbed(task, taken, taken + rungs.length, ladder, climb);
  const told = (await Promise.all(rungs.map(({ who }) => tell(parts, who, overdue, climb)))).flat();
  const changes: Change[] = [changeTask(task, overdue), ...told];
  const escalationAt = changes.findIndex((change) => change.op === 'create' && change.resource.resourceType === 'Task');
  const last = rungs.at(-1)?.who;
  return {
    changes,
    event: (ids) => ({
      kind: 'follow-up-escalated',
      episode: key.episode,
      step: key.step,
      task: task.id ?? '',
      due,
      lateSeconds: secondsBetween(waitsUntil, now),
      ...(last ? { told: last } : {}),
      ...(ids[escalationAt] ? { escalation: ids[escalationAt] } : {}),
    }),
  };
}

/** Nobody stands above a supervisor's Task. */
function ladderOf({ rules }: Parts, { key, clock }: Climb): readonly Rung[] {
  if (isEscalation(key)) return [];
  return stepOf(rules.protocols, clock.protocol, key.step)?.life.ladder ?? LADDER;
}

/** The follow-up once it stands on step `to` of its ladder, with the time of the next. */
function climbed(
  task: Task,
  from: number,
  to: number,
  ladder: readonly Rung[],
  { key, due, place, clock, now }: Climb,
): Task {
  const stage = to > 1 ? stageAfter('overdue', 'escalate') : stageAfter('due', 'miss');
  const overdue = { ...(from === 0 ? markOverdue(task, now) : task), businessStatus: stageConcept(stage) };
  if (isEscalation(key)) return touched(overdue, now);
  const { escalateAt: _, until: __, ...kept } = clock;
  const above = ladder[to];
  const next = above && toFhirDateTime(rungAt(above, toLastInstant(due, place.zone), place), place.zone);
  return touched(withClock(overdue, { ...kept, rung: to, ...(next ? { escalateAt: next } : {}) }), now);
}

/** Value of `escalate-at`, a FHIR dateTime: the deadline while nobody was told, then the next step of the ladder. */
export function nextEscalation(task: Task): string | undefined {
  const stage = stageOf(task);
  const taken = stage && takenAt(stage, 0);
  return taken === 0 ? task.restriction?.period?.end : clockOf(task).escalateAt;
}

/** How many steps of the ladder were taken; undefined where there is none to take. */
function takenAt(stage: Stage, rung: number): number | undefined {
  if (stage === 'due' || stage === 'reminded') return 0;
  if (stage === 'overdue' || stage === 'escalated' || stage === 'acknowledged') return Math.max(rung, 1);
  return undefined;
}

/** The steps that have become due: at least the next one. */
function dueRungs(
  ladder: readonly Rung[],
  taken: number,
  deadline: Temporal.Instant,
  place: Place,
  now: Temporal.Instant,
): readonly Rung[] {
  const left = ladder.slice(taken);
  const waiting = left.findIndex(
    (rung, at) => at > 0 && Temporal.Instant.compare(rungAt(rung, deadline, place), now) > 0,
  );
  return waiting < 0 ? left : left.slice(0, waiting);
}

async function tell(parts: Parts, who: Told, task: Task, climb: Climb): Promise<Change[]> {
  const { key, due, clock, now, facility, place } = climb;
  const when = { now, zone: place.zone };
  if (who === 'supervisor') return tellSupervisor(task, climb, await namedOnTeam(parts, task, 'supervisor', when));
  const recipient: CommunicationRequest['recipient'] =
    who === 'backup' ? await backupsOf(parts, task, facility, when) : await ownerOrStandIn(parts, task, facility, when);
  const told = messageKey(formatKey(key), who, clock.cycle);
  const resource = remindOwner(task, told, 'follow-up-overdue', due, now, recipient);
  return [{ op: 'create', resource, ifNoneExist: reminderQuery(told) }];
}

/** The supervisor's Task and the request to tell of it: whom the team names, the first of them as owner, else the facility's. */
function tellSupervisor(
  overdue: Task,
  { key, due, place, facility, clock, now }: Climb,
  named: NonNullable<CommunicationRequest['recipient']>,
): Change[] {
  const window = { raise: now, due: nextBusinessDayEnd(now, place.zone, place.calendar) };
  const queued = escalate(overdue, key, window, place.zone, facility, clock.cycle);
  const [supervisor] = named;
  const task: Task = supervisor ? { ...queued, owner: supervisor as NonNullable<Task['owner']> } : queued;
  const above = formatKey(escalationKey(key, clock.cycle));
  const fullUrl = derivedUrn('escalation', above);
  const reminder = remindOwner(task, above, 'follow-up-overdue', due, now, supervisor ? named : undefined);
  const query = new URLSearchParams({ identifier: tokenText(IDENTIFIER.followUp, above) });
  return [
    { op: 'create', resource: task, fullUrl, ifNoneExist: query.toString() },
    { op: 'create', resource: { ...reminder, about: [{ reference: fullUrl }] }, ifNoneExist: reminderQuery(above) },
  ];
}
