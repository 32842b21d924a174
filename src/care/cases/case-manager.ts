// Who can be a case manager. R4 has PractitionerRole as well, but its search parameter finds only persons, by which people's
// rights to the records of their cases go.
import { Fault } from '../../fault.ts';
import type { Linked } from '../linked.ts';
import type { Records } from '../records.ts';
import { idOf } from '../stored.ts';

/** @throws Fault unprocessable when it is nobody, or nobody that the caller may know of */
export async function requireManager(records: Records, manager: Linked, member: string): Promise<void> {
  const id = idOf(manager, 'Practitioner');
  if (id === undefined) {
    throw new Fault('unprocessable', 'A case manager is a person: Practitioner/12.', {
      code: 'business-rule',
      expression: member,
    });
  }
  if (await records.read('Practitioner', id)) return;
  throw new Fault('unprocessable', `There is no Practitioner/${id}, or the record is not open to who asks.`, {
    code: 'not-found',
    expression: member,
  });
}
