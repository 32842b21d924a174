// Patients of a server whose earlier resources the next pull asks for: catch-up.ts. docs/sync-spec.md#I8
import type { Statement } from '../../store/store.ts';
import { saveFact } from './remote-fact.ts';

export const CATCH_UP = 'catch-up:';

/** Of a patient who was linked just now; `remoteId` is there. */
export function startCatchUp(connection: string, remoteId: string, now: number): Statement {
  return saveFact(connection, `${CATCH_UP}${remoteId}`, '', now);
}
