// Who stands in when the owner of a follow-up did not come: whom the patient's care teams name as backup, else the facility.
import type { CommunicationRequest, Organization, Reference, Task } from '@medplum/fhirtypes';
import { toInstant, toLastInstant } from '../care/local-time.ts';
import { findResources } from '../care/stored.ts';
import { dutiesOf } from '../care/team/team-view.ts';
import type { Parts } from './parts.ts';

type Recipients = NonNullable<CommunicationRequest['recipient']>;

export async function backupsOf(
  { store }: Parts,
  task: Task,
  facility: Reference<Organization> | undefined,
  now: Temporal.Instant,
): Promise<Recipients> {
  const patient = task.for?.reference;
  const teams = patient ? await findResources(store, 'CareTeam', { patient, status: 'active' }) : [];
  const current = teams
    .flatMap(({ participant }) => participant ?? [])
    .filter((one) => dutiesOf(one).includes('backup') && isNow(one.period, now));
  const members = new Map(current.flatMap(({ member }) => (member?.reference ? [[member.reference, member]] : [])));
  members.delete(task.owner?.reference ?? '');
  const named = [...members.values()] as Recipients;
  if (named.length > 0) return named;
  if (facility) return [facility];
  return task.owner ? [task.owner] : [];
}

function isNow(period: { readonly start?: string; readonly end?: string } | undefined, now: Temporal.Instant): boolean {
  const begun = !period?.start || Temporal.Instant.compare(toInstant(period.start, 'UTC'), now) <= 0;
  return begun && (!period?.end || Temporal.Instant.compare(toLastInstant(period.end, 'UTC'), now) >= 0);
}
