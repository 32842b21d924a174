// On which side of a referral somebody stands.
import type { Task } from '@medplum/fhirtypes';
import type { Side } from './referral.ts';

/**
 * References of who acts, and of those for whom they act: `Practitioner/1`, `PractitionerRole/2`, `Organization/3`. `any`:
 * whoever it is does not stand on one side, such as another server that passes on what both did.
 */
export type Parties = ReadonlySet<string> | 'any';

/**
 * A side that the Task does not name binds nobody, but for the owner of an open referral: that is whoever claims it.
 * @param after what they want to make of it; absent when it is asked what they could
 */
export function sidesOf(before: Task, after: Task | undefined, parties: Parties): ReadonlySet<Side> {
  if (parties === 'any') return new Set(['requester', 'owner']);
  const sides = new Set<Side>();
  if (!before.requester || isNamed(before.requester, parties)) sides.add('requester');
  if (before.owner ? isNamed(before.owner, parties) : isClaim(after, parties)) sides.add('owner');
  return sides;
}

/** An open referral is claimed by accepting it as one's own. */
function isClaim(after: Task | undefined, parties: ReadonlySet<string>): boolean {
  if (!after) return false;
  return after.status === 'accepted' && after.owner !== undefined && isNamed(after.owner, parties);
}

function isNamed({ reference = '' }: { readonly reference?: string }, parties: ReadonlySet<string>): boolean {
  return parties.has(reference.replace(/\/_history\/.*$/, ''));
}
