// The role in which somebody acts in a case.
import type { CaseAtHand } from './case-at-hand.ts';
import type { Caller, Kept, Records } from './records.ts';
import { idOf } from './stored.ts';

/** The one they hold where the case is managed, else any that is active; undefined for who is no practitioner or has none. */
export async function roleInCase(
  records: Pick<Records, 'find'>,
  { who }: Caller,
  { episode }: Pick<CaseAtHand, 'episode'>,
): Promise<Kept<'PractitionerRole'> | undefined> {
  const person = idOf(who, 'Practitioner');
  if (person === undefined) return undefined;
  const roles = await records.find('PractitionerRole', { practitioner: `Practitioner/${person}`, active: 'true' });
  const at = episode.managingOrganization?.reference;
  return roles.find(({ organization }) => at !== undefined && organization?.reference === at) ?? roles[0];
}
