// Who is told when the owner of a follow-up did not come: whom the patient's care teams name for that duty. Where they name no
// backup it is the facility.
import type { CommunicationRequest, Organization, Reference, Task } from '@medplum/fhirtypes';
import { findResources } from '../care/stored.ts';
import { dutiesOf, isCurrent } from '../care/team/team-view.ts';
import { keepStored } from './facts.ts';
import type { Parts } from './parts.ts';

type Recipients = NonNullable<CommunicationRequest['recipient']>;

export async function backupsOf(
  parts: Parts,
  task: Task,
  facility: Reference<Organization> | undefined,
  when: { readonly now: Temporal.Instant; readonly zone: string },
): Promise<Recipients> {
  const named = await namedOnTeam(parts, task, 'backup', when);
  if (named.length > 0) return named;
  if (facility) return [facility];
  return task.owner ? [task.owner] : [];
}

/** Members of the patient's active care teams who have the duty now, by the days of the zone, but for the follow-up's owner. */
export async function namedOnTeam(
  { store }: Parts,
  task: Task,
  duty: 'backup' | 'supervisor',
  when: { readonly now: Temporal.Instant; readonly zone: string },
): Promise<Recipients> {
  const patient = task.for?.reference;
  const teams = patient ? await findResources(store, 'CareTeam', { patient, status: 'active' }) : [];
  const current = teams
    .flatMap(({ participant }) => participant ?? [])
    .filter((one) => dutiesOf(one).includes(duty) && isCurrent(one, when));
  const members = new Map(current.flatMap(({ member }) => (member?.reference ? [[member.reference, member]] : [])));
  members.delete(task.owner?.reference ?? '');
  // A reference that leads nowhere would be refused, and nobody told.
  return (await keepStored({ store }, [...members.values()])) as Recipients;
}
