// Of which contacts of an application a Provenance names who of the staff made them, as far as the caller may see it.
import type { Communication, ResourceType } from '@medplum/fhirtypes';
import { findReadable } from '../find-readable.ts';
import type { Records } from '../records.ts';
import { namedIn, unnamedTargets } from './counted-contact.ts';

/** @param notSeen gets Provenance when one might say more and none may be seen */
export async function namedAmong(
  records: Records,
  contacts: readonly Communication[],
  notSeen?: ResourceType[],
): Promise<Set<string>> {
  const target = unnamedTargets(contacts);
  return target === undefined ? new Set() : namedIn(await findReadable(records, 'Provenance', { target }, notSeen));
}
