// Who can be a case manager. R4 has PractitionerRole as well, but its search parameter finds only persons, by which people's
// rights to the records of their cases go.
import { Fault } from '../../fault.ts';
import type { Linked } from '../linked.ts';
import { idOf } from '../stored.ts';

/** @throws Fault unprocessable */
export function requireManager(manager: Linked, member: string): void {
  if (idOf(manager, 'Practitioner') !== undefined) return;
  throw new Fault('unprocessable', 'A case manager is a person: Practitioner/12.', {
    code: 'business-rule',
    expression: member,
  });
}
