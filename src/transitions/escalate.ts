// A follow-up has missed its deadline: it becomes overdue and more urgent, and a supervisor gets a Task about it.

import type { Organization, Reference, Task } from '@medplum/fhirtypes';
import { nextBusinessDayEnd } from '../care/deadline.ts';
import { derivedUrn } from '../care/derived-id.ts';
import { toLastInstant } from '../care/local-time.ts';
import { readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { escalate, escalationKey, isEscalation, markOverdue } from '../care/transition/escalation.ts';
import { type FollowUpKey, followUpKey, formatKey, hasClockStatus } from '../care/transition/follow-up.ts';
import { remindOwner } from '../care/transition/reminder.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { Act } from './act.ts';
import type { Place } from './facilities.ts';
import type { Parts } from './parts.ts';
import { reminderQuery, secondsBetween } from './raise.ts';

export async function planEscalation(parts: Parts, task: Task, now: Temporal.Instant): Promise<Act | undefined> {
  const key = followUpKey(task);
  const due = task.restriction?.period?.end;
  if (!key || !due || isTerminal(task.status) || !hasClockStatus(task, 'due')) return undefined;
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  const facility = episode?.managingOrganization;
  const place = await parts.facilities.placeOf(facility);
  const lateSeconds = secondsBetween(toLastInstant(due, place.zone), now);
  // Somebody gave it a deadline without a time of day; the day is not over.
  if (lateSeconds < 0) return undefined;
  const overdue = markOverdue(task, now);
  const update: Change = { op: 'update', resource: overdue, ifMatch: task.meta?.versionId };
  const above = isEscalation(key) ? [] : tellSupervisor(overdue, key, due, place, facility, now);
  return {
    changes: [update, ...above],
    event: ([, escalation]) => ({
      kind: 'follow-up-escalated',
      episode: key.episode,
      step: key.step,
      task: task.id ?? '',
      due,
      lateSeconds,
      ...(escalation ? { escalation } : {}),
    }),
  };
}

/** The supervisor's Task and the request to tell him of it. */
function tellSupervisor(
  overdue: Task,
  key: FollowUpKey,
  due: string,
  { zone, calendar }: Place,
  facility: Reference<Organization> | undefined,
  now: Temporal.Instant,
): Change[] {
  const window = { raise: now, due: nextBusinessDayEnd(now, zone, calendar) };
  const task = escalate(overdue, key, window, zone, facility);
  const above = formatKey(escalationKey(key));
  const fullUrl = derivedUrn('escalation', above);
  const reminder = remindOwner(task, above, 'follow-up-overdue', due, now);
  const query = new URLSearchParams({ identifier: tokenText(IDENTIFIER.followUp, above) });
  return [
    { op: 'create', resource: task, fullUrl, ifNoneExist: query.toString() },
    { op: 'create', resource: { ...reminder, about: [{ reference: fullUrl }] }, ifNoneExist: reminderQuery(above) },
  ];
}
