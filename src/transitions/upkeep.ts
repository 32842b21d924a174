// What follows for an open follow-up from what somebody changed about it: its credit is what the attempts at it earn, another
// deadline sets its clock anew, an acknowledgement puts the next step of the ladder off, another owner is told.
import type { Task } from '@medplum/fhirtypes';
import { namedIn, unnamedTargets } from '../care/contacts/counted-contact.ts';
import { nextBusinessDayEnd } from '../care/deadline.ts';
import { toFhirDateTime, toInstant, toLastInstant } from '../care/local-time.ts';
import { findResources, readResource } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { touched } from '../care/touched.ts';
import { withAttempts } from '../care/transition/attempts.ts';
import { dischargeOf } from '../care/transition/episode.ts';
import { cancelEscalation } from '../care/transition/escalation.ts';
import { type FollowUpKey, followUpKey, formatKey } from '../care/transition/follow-up.ts';
import { clockOf, type FollowUpClock, withClock } from '../care/transition/follow-up-clock.ts';
import { LIFE, stageAfter, stageConcept, stageOf } from '../care/transition/life.ts';
import { type ProtocolStep, stepOf } from '../care/transition/protocol.ts';
import { messageKey, remindOwner } from '../care/transition/reminder.ts';
import { expireAt, LADDER, LONGEST_REST, remindAt, rungAt } from '../care/transition/step-life.ts';
import type { Change } from '../fhir/change.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import type { Place } from './facilities.ts';
import { toldOf } from './named-on-team.ts';
import type { Parts } from './parts.ts';
import { reminderQuery } from './raise.ts';

interface Upkeep {
  readonly key: FollowUpKey;
  readonly clock: FollowUpClock;
  readonly step: ProtocolStep | undefined;
  readonly place: Place;
  readonly now: Temporal.Instant;
}

/** @param stored an open follow-up as it is stored */
export async function planUpkeep(parts: Parts, stored: Task): Promise<Change[]> {
  const key = followUpKey(stored);
  if (!key) return [];
  const clock = clockOf(stored);
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  const place = await parts.facilities.placeOf(episode?.managingOrganization);
  const step = stepOf(parts.rules.protocols, clock.protocol, key.step);
  const upkeep: Upkeep = { key, clock, step, place, now: parts.clock.now() };
  const discharge = (episode && dischargeOf(episode)) ?? upkeep.now;
  const counted = await recounted(parts, stored, discharge, place.zone);
  const task = counted ?? stored;
  const deadline = task.restriction?.period?.end;
  const isMoved = clock.deadline !== undefined && deadline !== undefined && deadline !== clock.deadline;
  const next = (isMoved ? reschedule(task, deadline, discharge, upkeep) : putOff(task, upkeep)) ?? counted;
  const settled = isMoved ? await settleEscalations(parts, key, upkeep.now) : [];
  const told = await tellNewOwner(parts, next ?? task, upkeep);
  return [
    ...(next ? [{ op: 'update' as const, resource: next, ifMatch: task.meta?.versionId }] : []),
    ...settled,
    ...told,
  ];
}

/** With the attempts at it that are stored, and the credit that they earn; undefined when it says so already. */
export async function recounted(
  { store, clock }: Pick<Parts, 'store' | 'clock'>,
  task: Task,
  discharged: Temporal.Instant,
  zone: string,
): Promise<Task | undefined> {
  const attempts = await findResources(store, 'Communication', { 'based-on': `Task/${task.id}` });
  const target = unnamedTargets(attempts);
  const named = namedIn(target === undefined ? [] : await findResources(store, 'Provenance', { target }));
  return withAttempts(task, attempts, { discharged, zone, now: clock.now(), named });
}

/** Counted from the new deadline; what was missed is not any more. */
function reschedule(task: Task, deadline: string, discharge: Temporal.Instant, upkeep: Upkeep): Task {
  const { clock, step, place, now } = upkeep;
  const { zone } = place;
  const { remindAt: _, escalateAt: __, until: ___, ...kept } = clock;
  const due = toLastInstant(deadline, zone);
  const start = task.restriction?.period?.start;
  const raise = start ? toInstant(start, zone) : now;
  const remind = step && remindAt(step.life, { raise, due }, zone);
  const expire = step && expireAt(step.life, due, { discharge, zone });
  const stage = stageOf(task);
  const isOpen = Temporal.Instant.compare(raise, now) <= 0;
  const next = stage && stageAfter(stage, 'reschedule');
  const shown = next === 'scheduled' && isOpen && stage !== 'scheduled' ? 'due' : next;
  const end = toFhirDateTime(due, zone);
  const dated = { ...task, restriction: { ...task.restriction, period: { ...task.restriction?.period, end } } };
  const moved = withClock(dated, {
    ...kept,
    deadline: end,
    ...(remind && Temporal.Instant.compare(remind, now) > 0 ? { remindAt: toFhirDateTime(remind, zone) } : {}),
    ...(expire ? { expireAt: toFhirDateTime(expire, zone) } : {}),
    cycle: clock.rung > 0 ? clock.cycle + 1 : clock.cycle,
    rung: 0,
    fixed: true,
  });
  return touched({ ...moved, ...(shown ? { businessStatus: stageConcept(shown) } : {}) }, now);
}

/** An acknowledged follow-up waits until the end of the next business day; one that lost its next step gets it back. */
function putOff(task: Task, { clock, step, place, now }: Upkeep): Task | undefined {
  const stage = stageOf(task);
  if (!stage || !LIFE[stage].escalate) return undefined;
  const ladder = step?.life.ladder ?? LADDER;
  const rung = ladder[Math.max(clock.rung, 1)];
  const due = task.restriction?.period?.end;
  if (!rung || !due) return undefined;
  const { zone, calendar } = place;
  const planned = rungAt(rung, toLastInstant(due, zone), place);
  const isTooFar = restsTooLong(clock.escalateAt ?? clock.until, planned, now, zone);
  const until = isTooFar || clock.until?.includes('T') ? undefined : clock.until;
  const isNews = stage === 'acknowledged' && (clock.until === undefined || until !== undefined || isTooFar);
  if (clock.escalateAt !== undefined && !isNews && !isTooFar) return undefined;
  const end = until ? toLastInstant(until, zone) : nextBusinessDayEnd(now, zone, calendar);
  const escalateAt = toFhirDateTime(isNews ? end : planned, zone);
  const rest = { rung: Math.max(clock.rung, 1), escalateAt, ...(isNews ? { until: escalateAt } : {}) };
  return touched(withClock(task, { ...clock, ...rest }), now);
}

/** Later than the ladder says, and than anybody may put it off, through whatever door. */
function restsTooLong(moment: string | undefined, planned: Temporal.Instant, now: Temporal.Instant, zone: string) {
  if (moment === undefined) return false;
  const latest = now.add({ hours: 24 * (LONGEST_REST.days + 1) });
  return [latest, planned].every((bound) => Temporal.Instant.compare(toLastInstant(moment, zone), bound) > 0);
}

/** Supervisors have nothing to do about it any more. */
export async function settleEscalations(
  { store }: Pick<Parts, 'store'>,
  key: FollowUpKey,
  now: Temporal.Instant,
): Promise<Change[]> {
  const tasks = await findResources(store, 'Task', {
    'group-identifier': tokenText(IDENTIFIER.transitionPlan, key.episode),
    code: 'escalation',
  });
  return tasks.flatMap((task): Change[] => {
    const cancelled = cancelEscalation(task, key, now);
    return cancelled ? [{ op: 'update', resource: cancelled, ifMatch: task.meta?.versionId }] : [];
  });
}

/** Whoever gets a follow-up that has been raised learns of it once. */
async function tellNewOwner(parts: Parts, task: Task, { key, now }: Upkeep): Promise<Change[]> {
  const { store } = parts;
  const { owner } = task;
  const stage = stageOf(task);
  if (!owner?.reference || !stage || stage === 'scheduled') return [];
  const recipient = await toldOf(parts, task, now);
  const about = await findResources(store, 'CommunicationRequest', {
    'based-on': task.basedOn?.[0]?.reference ?? '',
    recipient: recipient[0]?.reference ?? owner.reference,
  });
  if (about.some((one) => one.about?.some(({ reference }) => reference === `Task/${task.id}`))) return [];
  const told = messageKey(formatKey(key), 'assigned', owner.reference.replace('/', '.'));
  const resource = remindOwner(
    task,
    told,
    'follow-up-assigned',
    now.toString({ smallestUnit: 'second' }),
    now,
    recipient,
  );
  return [{ op: 'create', resource, ifNoneExist: reminderQuery(told) }];
}
