// Who answers for a case: its first manager, and the hand-over from one to the next with the team and the tasks.
import type { CareTeam, CareTeamParticipant, EpisodeOfCare, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { hasCode, roleConcept } from '../concept.ts';
import { findReadable } from '../find-readable.ts';
import type { Linked } from '../linked.ts';
import { localDate, toFhirDateTime, toInstant } from '../local-time.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import { touched } from '../touched.ts';
import { noteOfEvent } from './case-event.ts';
import { requireManager } from './case-manager.ts';
import type { AssignCase, HandOverCase } from './case-schema.ts';
import { isOver } from './episode.ts';
import { requireCase, teamsOfCase } from './find-cases.ts';
import { OPEN_TASKS } from './open-work.ts';

/**
 * The first manager of a case.
 * @throws Fault not-found; conflict when somebody else is the manager already; unprocessable when the case is over
 */
export async function assignCase(records: Records, caller: Caller, id: string, input: AssignCase): Promise<Planned> {
  const { careManager: to, note } = input;
  const episode = await caseToAssign(records, id, to, 'careManager');
  const from = episode.careManager?.reference;
  if (from !== undefined && from !== to.reference) {
    throw new Fault('conflict', `${from} is the case manager; hand the case over instead.`, {
      expression: 'careManager',
    });
  }
  const since = toFhirDateTime(caller.now, caller.zone);
  const teams = await teamsOfCase(records, episode);
  return {
    about: 0,
    changes: [
      changed(episode, { ...episode, careManager: to as NonNullable<EpisodeOfCare['careManager']> }),
      ...teams.flatMap((team) => managedBy(team, { to, since })),
      ...noteOfEvent(episode, 'assignment', caller, note, to),
    ],
  };
}

/**
 * From one manager to the next: the tasks that the old one had for the patient go along.
 * @throws Fault not-found; unprocessable when the case is over, has no manager, has this one already, or the date is wrong
 */
export async function handOverCase(
  records: Records,
  caller: Caller,
  id: string,
  input: HandOverCase,
): Promise<Planned> {
  const { to, note } = input;
  const episode = await caseToAssign(records, id, to, 'to');
  const from = episode.careManager?.reference;
  if (from === undefined) throw refusal('The case has no manager yet; assign it.', 'careManager');
  if (from === to.reference) throw refusal(`${from} is the case manager already.`, 'to');
  const since = sinceWhen(input, episode, caller);
  const [teams, tasks] = await Promise.all([teamsOfCase(records, episode), tasksToGoAlong(records, episode, from)]);
  return {
    about: 0,
    releases: true,
    changes: [
      changed(episode, { ...episode, careManager: to as NonNullable<EpisodeOfCare['careManager']> }),
      ...teams.flatMap((team) => managedBy(team, { from, to, since })),
      ...tasks.map((task) =>
        changed(task, touched({ ...task, owner: to as NonNullable<typeof task.owner> }, caller.now)),
      ),
      ...noteOfEvent(episode, 'handover', caller, note, to),
    ],
  };
}

async function caseToAssign(records: Records, id: string, to: Linked, member: string) {
  const episode = await requireCase(records, id);
  if (isOver(episode)) {
    throw refusal(`The case is ${episode.status}; nobody can be made its manager.`, 'EpisodeOfCare.status');
  }
  await requireManager(records, to, member);
  return episode;
}

/** @throws Fault unprocessable for a date before the case or after now */
function sinceWhen({ date }: HandOverCase, { period }: EpisodeOfCare, { now, zone }: Caller): string {
  if (date === undefined) return toFhirDateTime(now, zone);
  const at = toInstant(date, zone);
  if (Temporal.Instant.compare(at, now) > 0)
    throw refusal('A hand-over cannot be in the future; hand over then.', 'date');
  const started = period?.start;
  if (
    started !== undefined &&
    Temporal.Instant.compare(at, toInstant(started, zone)) < 0 &&
    !isSameDay(date, started, zone)
  ) {
    throw refusal(`The case began on ${started.slice(0, 10)}; it cannot have been handed over before.`, 'date');
  }
  return date;
}

function isSameDay(one: string, other: string, zone: string): boolean {
  const day = (text: string) => localDate(toInstant(text, zone), zone);
  return day(one).equals(day(other));
}

/** Open tasks of the patient with the old manager, but for those of another case that goes on with that one. */
async function tasksToGoAlong(
  records: Records,
  episode: Kept<'EpisodeOfCare'>,
  owner: string,
): Promise<Kept<'Task'>[]> {
  const patient = `Patient/${idOf(episode.patient, 'Patient') ?? ''}`;
  const [tasks, plans] = await Promise.all([
    records.find('Task', { patient, owner, status: OPEN_TASKS }),
    findReadable(records, 'CarePlan', { patient }),
  ]);
  const others = new Set(
    plans
      .filter(({ identifier }) =>
        identifier?.some(({ system, value }) => system === IDENTIFIER.casePlan && value !== episode.id),
      )
      .map(({ id }) => `CarePlan/${id}`),
  );
  return tasks.filter(({ basedOn = [] }) => !basedOn.some(({ reference = '' }) => others.has(reference)));
}

/** The team with the new manager from then on and the old one until then; nobody is taken out of its history. */
function managedBy(
  team: Kept<'CareTeam'>,
  { from, to, since }: { readonly from?: string; readonly to: Linked; readonly since: string },
): Change[] {
  const participant = (team.participant ?? []).map((each) =>
    from !== undefined && isManager(each, from) ? { ...each, period: { ...each.period, end: since } } : each,
  );
  if (!participant.some((each) => isManager(each, to.reference))) {
    participant.push({
      role: [roleConcept('case-manager')],
      member: to as NonNullable<CareTeamParticipant['member']>,
      period: { start: since },
    });
  }
  return [changed(team, { ...team, participant } satisfies CareTeam)];
}

function isManager({ member, role, period }: CareTeamParticipant, reference: string): boolean {
  const isOne = role?.some((each) => hasCode(each, CODE_SYSTEM.careRole, 'case-manager')) ?? false;
  return isOne && period?.end === undefined && (member as Reference | undefined)?.reference === reference;
}

function changed<R extends Extract<Change, { op: 'update' }>['resource']>(
  { meta }: { readonly meta: { readonly versionId: string } },
  resource: R,
): Change {
  return { op: 'update', resource, ifMatch: meta.versionId };
}

const refusal = (sentence: string, expression: string) =>
  new Fault('unprocessable', sentence, { code: 'business-rule', expression });
