// A contact or an attempt at one for a follow-up: the Communication, the Task that counts it, and the end of the follow-up when
// somebody was reached.
import { randomUUID } from 'node:crypto';
import type { Communication, Task } from '@medplum/fhirtypes';
import { planVisit } from '../contacts/contact-visit.ts';
import { judgeContact } from '../contacts/counted-contact.ts';
import { madeBy } from '../contacts/made-by.ts';
import { namedAmong } from '../contacts/named-among.ts';
import { writeContact } from '../contacts/write-contact.ts';
import { nowOf, requireOrder, requirePast } from '../given-time.ts';
import { knownResources } from '../known-resource.ts';
import { toInstant } from '../local-time.ts';
import { requireStep } from '../plans/status-step.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { touched } from '../touched.ts';
import { countingFacts, isToReach, withAttempts } from '../transition/attempts.ts';
import { withEnding } from '../transition/ending.ts';
import { dischargeOf } from '../transition/episode.ts';
import { stageAfter, stageOf } from '../transition/life.ts';
import { followUpAtHand, type OnFollowUp } from './follow-up-at-hand.ts';
import type { Attempt } from './follow-up-schema.ts';

const PARTIES = [
  'Patient',
  'RelatedPerson',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'CareTeam',
  'HealthcareService',
] as const;

/**
 * Reaching somebody completes the follow-up, unless the caller says that it does not, or it is to reach the patient and the
 * contact does not count: then it is kept, the follow-up stays open, and its view says why. Whether it was in time is decided by
 * when it was done, not by when it is told; the facility's offset is in the deadline.
 * @throws Fault not-found; unprocessable naming the member, or what may happen to the follow-up instead
 */
export async function attemptFollowUp(records: Records, caller: Caller, on: OnFollowUp<Attempt>): Promise<Planned> {
  const { episode, subject, task } = await followUpAtHand(records, on);
  const { completes = true, ...contact } = on.body;
  requirePast(contact.started, 'started', caller);
  if (contact.ended !== undefined) requirePast(contact.ended, 'ended', caller);
  requireOrder(contact.started, contact.ended, ['started', 'ended'], caller);
  await knownResources(records, { subject }, contact.with, PARTIES, 'with');
  stageAfter(stageOf(task) ?? 'scheduled', 'attempt');
  const id = randomUUID();
  const place = { episode: `EpisodeOfCare/${episode.id}`, patient: subject.reference };
  const intervention = { reference: `Task/${task.id}` };
  const { encounter, changes: visit } = planVisit(contact, { episode, subject }, caller);
  const us = await madeBy(records, caller, contact);
  const written = writeContact({ ...contact, intervention }, place, caller, us);
  const communication: Communication = encounter ? { ...written, encounter } : written;
  const earlier = await records.find('Communication', { 'based-on': `Task/${task.id}` });
  const all: Communication[] = [...earlier, { ...communication, id }];
  const named = await namedAmong(records, earlier);
  const discharged = dischargeOf(episode) ?? toInstant(contact.started, caller.zone);
  const counted = withAttempts(task, all, { discharged, zone: caller.zone, now: caller.now, named }) ?? task;
  const counts = !isToReach(task) || judgeContact({ ...communication, id }, countingFacts(task, named)).reached;
  const isDone = contact.outcome === 'reached' && completes && counts;
  const resource = isDone ? completed(task, counted, contact, caller) : touched(counted, caller.now);
  return {
    changes: [
      { op: 'update', resource, ifMatch: task.meta.versionId },
      { op: 'create', id, resource: communication },
      ...visit,
    ],
    about: 0,
  };
}

function completed(
  task: Kept<'Task'>,
  counted: Task,
  { started, ended }: Pick<Attempt, 'started' | 'ended'>,
  caller: Caller,
): Task {
  const next: Task = {
    ...counted,
    status: 'completed',
    lastModified: nowOf(caller),
    executionPeriod: { start: started, ...task.executionPeriod, end: ended ?? started },
  };
  requireStep(task, next);
  return withEnding(next, caller.zone) ?? next;
}
