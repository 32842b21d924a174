// Rows of `resource` as search carries them from page to includes.

import type { SqlRow, StoredVersion } from '../store.ts';
import { currentVersion } from '../stored.ts';
import { raw } from './fragment.ts';

export interface FoundRow {
  readonly rid: number;
  readonly version: StoredVersion;
}

/** What `foundRow` needs of `resource r`. */
export const FOUND_COLUMNS = raw('r.rid, r.type, r.id, r.version, r.sequence, r.updated, r.content');

export function foundRow(row: SqlRow): FoundRow {
  return { rid: Number(row.rid), version: currentVersion(row) };
}
