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
import { clockOf, withClock } from '../care/transition/follow-up-clock.ts';
import { type Stage, stageAfter, stageConcept, stageOf } from '../care/transition/life.ts';
import { stepOf } from '../care/transition/protocol.ts';
import { messageKey, remindOwner } from '../care/transition/reminder.ts';
import { LADDER, type Rung, rungAt, type Told } from '../care/transition/step-life.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { Act } from './act.ts';
import { backupsOf } from './backups.ts';
import type { Place } from './facilities.ts';
import type { Parts } from './parts.ts';
import { reminderQuery } from './raise.ts';
import { secondsBetween } from './seconds-between.ts';

/** What a follow-up that climbs is about. */
interface Climb {
  readonly key: FollowUpKey;
  readonly due: string;
  readonly place: Place;
  readonly facility: Reference<Organization> | undefined;
  readonly cycle: number;
  readonly now: Temporal.Instant;
}

export async function planEscalation(parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const due = task.restriction?.period?.end;
  const stage = stageOf(task);
  if (!key || !due || !stage || isTerminal(task.status)) return undefined;
  const clock = clockOf(task);
  const taken = takenAt(stage, clock.rung);
  if (taken === undefined) return undefined;
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  const facility = episode?.managingOrganization;
  const place = await parts.facilities.placeOf(facility);
  const deadline = toLastInstant(due, place.zone);
  const waitsUntil = taken === 0 ? deadline : clock.escalateAt && toInstant(clock.escalateAt, place.zone);
  // Somebody gave it a deadline without a time of day and the day is not over, or nobody is left to tell.
  if (!waitsUntil || Temporal.Instant.compare(waitsUntil, now) > 0) return undefined;
  const ladder = isEscalation(key)
    ? []
    : (stepOf(parts.rules.protocols, clock.protocol, key.step)?.life.ladder ?? LADDER);
  const rungs = dueRungs(ladder, taken, deadline, place, now);
  const above = ladder[taken + rungs.length];
  const overdue = taken === 0 ? markOverdue(task, now) : task;
  const climbed = taken + rungs.length > 1 ? stageAfter('overdue', 'escalate') : stageAfter('due', 'miss');
  const { escalateAt: _, until: __, ...kept } = clock;
  const next = above && rungAt(above, deadline, place);
  const marked = touched({ ...overdue, businessStatus: stageConcept(climbed) }, now);
  const resource = isEscalation(key)
    ? marked
    : withClock(marked, {
        ...kept,
        rung: taken + rungs.length,
        ...(next ? { escalateAt: toFhirDateTime(next, place.zone) } : {}),
      });
  const climb: Climb = { key, due, place, facility, cycle: clock.cycle, now };
  const told = await Promise.all(rungs.map(({ who }) => tell(parts, who, resource, climb)));
  const before = told
    .slice(
      0,
      rungs.findIndex(({ who }) => who === 'supervisor'),
    )
    .flat().length;
  const last = rungs.at(-1)?.who;
  const hasTask = rungs.some(({ who }) => who === 'supervisor');
  return {
    changes: [{ op: 'update', resource, ifMatch: task.meta?.versionId }, ...told.flat()],
    event: (ids) => ({
      kind: 'follow-up-escalated',
      episode: key.episode,
      step: key.step,
      task: task.id ?? '',
      due,
      lateSeconds: secondsBetween(waitsUntil, now),
      ...(last ? { told: last } : {}),
      ...(hasTask && ids[1 + before] ? { escalation: ids[1 + before] } : {}),
    }),
  };
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
  if (who === 'supervisor') return tellSupervisor(task, climb);
  const { key, due, cycle, now, facility } = climb;
  const recipient: CommunicationRequest['recipient'] =
    who === 'backup' ? await backupsOf(parts, task, facility, now) : task.owner && [task.owner];
  const told = messageKey(formatKey(key), who, cycle);
  const resource = remindOwner(task, told, 'follow-up-overdue', due, now, recipient);
  return [{ op: 'create', resource, ifNoneExist: reminderQuery(told) }];
}

/** The supervisor's Task and the request to tell him of it. */
function tellSupervisor(overdue: Task, { key, due, place, facility, cycle, now }: Climb): Change[] {
  const window = { raise: now, due: nextBusinessDayEnd(now, place.zone, place.calendar) };
  const task = escalate(overdue, key, window, place.zone, facility, cycle);
  const above = formatKey(escalationKey(key, cycle));
  const fullUrl = derivedUrn('escalation', above);
  const reminder = remindOwner(task, above, 'follow-up-overdue', due, now);
  const query = new URLSearchParams({ identifier: tokenText(IDENTIFIER.followUp, above) });
  return [
    { op: 'create', resource: task, fullUrl, ifNoneExist: query.toString() },
    { op: 'create', resource: { ...reminder, about: [{ reference: fullUrl }] }, ifNoneExist: reminderQuery(above) },
  ];
}
