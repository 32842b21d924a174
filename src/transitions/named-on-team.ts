// Who is told when the owner of a follow-up did not come, or has left: whom the patient's care teams name for that duty. Where they name no
// backup it is the facility.
import type { CommunicationRequest, Organization, Reference, Task } from '@medplum/fhirtypes';
import { findResources } from '../care/stored.ts';
import type { When } from '../care/team/has-left.ts';
import { dutiesOf, isCurrent } from '../care/team/team-view.ts';
import { keepStored } from './facts.ts';
import type { Parts } from './parts.ts';

type Recipients = NonNullable<CommunicationRequest['recipient']>;

/**
 * Whose follow-up it is; of one who has left at once the backup, else the supervisor, else the facility, so that nobody waits
 * for the deadline of what nobody knows of.
 */
export async function ownerOrStandIn(
  parts: Parts,
  task: Task,
  facility: Reference<Organization> | undefined,
  when: When,
): Promise<Recipients> {
  const { owner } = task;
  if (owner && !(await parts.hasLeft(owner, when))) return [owner];
  for (const duty of ['backup', 'supervisor'] as const) {
    const named = await namedOnTeam(parts, task, duty, when);
    if (named.length > 0) return named;
  }
  return facility ? [facility] : [];
}

/** Who is told of a follow-up for its owner, at the facility that asked for it. */
export async function toldOf(parts: Parts, task: Task, now: Temporal.Instant): Promise<Recipients> {
  const facility = task.requester?.reference?.startsWith('Organization/')
    ? (task.requester as Reference<Organization>)
    : undefined;
  const { zone } = await parts.facilities.placeOf(facility);
  return ownerOrStandIn(parts, task, facility, { now, zone });
}

export async function backupsOf(
  parts: Parts,
  task: Task,
  facility: Reference<Organization> | undefined,
  when: When,
): Promise<Recipients> {
  const named = await namedOnTeam(parts, task, 'backup', when);
  if (named.length > 0) return named;
  if (facility) return [facility];
  return task.owner && !(await parts.hasLeft(task.owner, when)) ? [task.owner] : [];
}

/** Members of the patient's active care teams who have the duty now, by the days of the zone, but for the follow-up's owner and who has left. */
export async function namedOnTeam(
  { store, hasLeft }: Parts,
  task: Task,
  duty: 'backup' | 'supervisor',
  when: When,
): Promise<Recipients> {
  const patient = task.for?.reference;
  const teams = patient ? await findResources(store, 'CareTeam', { patient, status: 'active' }) : [];
  const current = teams
    .flatMap(({ participant }) => participant ?? [])
    .filter((one) => dutiesOf(one).includes(duty) && isCurrent(one, when));
  const members = new Map(current.flatMap(({ member }) => (member?.reference ? [[member.reference, member]] : [])));
  members.delete(task.owner?.reference ?? '');
  // A reference that leads nowhere would be refused, and nobody told.
  const stored = (await keepStored({ store }, [...members.values()])) as Recipients;
  const left = await Promise.all(stored.map((one) => hasLeft(one, when)));
  return stored.filter((_, at) => !left[at]);
}
