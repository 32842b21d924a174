// Who is told when the owner of a follow-up did not come: whom the patient's care teams name for that duty. Where they name no
// backup it is the facility.
import type { CommunicationRequest, Organization, Reference, Task } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../care/local-time.ts';
import { findResources } from '../care/stored.ts';
import { dutiesOf } from '../care/team/team-view.ts';
import { keepStored } from './facts.ts';
import type { Parts } from './parts.ts';

type Recipients = NonNullable<CommunicationRequest['recipient']>;

export async function backupsOf(
  parts: Parts,
  task: Task,
  facility: Reference<Organization> | undefined,
  now: Temporal.Instant,
): Promise<Recipients> {
  const named = await namedOnTeam(parts, task, 'backup', now);
  if (named.length > 0) return named;
  if (facility) return [facility];
  return task.owner ? [task.owner] : [];
}

/** Members of the patient's active care teams who have the duty now, but for the owner of the follow-up. */
export async function namedOnTeam(
  { store }: Parts,
  task: Task,
  duty: 'backup' | 'supervisor',
  now: Temporal.Instant,
): Promise<Recipients> {
  const patient = task.for?.reference;
  const teams = patient ? await findResources(store, 'CareTeam', { patient, status: 'active' }) : [];
  const current = teams
    .flatMap(({ participant }) => participant ?? [])
    .filter((one) => dutiesOf(one).includes(duty) && isNow(one.period, now));
  const members = new Map(current.flatMap(({ member }) => (member?.reference ? [[member.reference, member]] : [])));
  members.delete(task.owner?.reference ?? '');
  // A reference that leads nowhere would be refused, and nobody told.
  return (await keepStored({ store }, [...members.values()])) as Recipients;
}

function isNow(period: { readonly start?: string; readonly end?: string } | undefined, now: Temporal.Instant): boolean {
  const begun = !period?.start || Temporal.Instant.compare(toInstant(period.start, 'UTC'), now) <= 0;
  return begun && (!period?.end || Temporal.Instant.compare(toLastInstant(period.end, 'UTC'), now) >= 0);
}
