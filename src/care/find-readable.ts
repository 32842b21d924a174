// What a view shows beside its own subject: as much of it as the caller may see.
import type { ResourceType } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import type { Kept, Records, SearchFor } from './records.ts';

/** As `find`; nothing when the caller may see none of the type. @param notSeen gets the type then */
export async function findReadable<K extends ResourceType>(
  records: Records,
  type: K,
  search: SearchFor,
  notSeen?: ResourceType[],
): Promise<Kept<K>[]> {
  try {
    return await records.find(type, search);
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'forbidden') throw error;
    notSeen?.push(type);
    return [];
  }
}
