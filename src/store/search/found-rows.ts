// Rows of `resource` as the store's callers see them.
import type { SqlRow, StoredVersion } from '../store.ts';

export interface FoundRow {
  readonly rid: number;
  readonly version: StoredVersion;
}

/** @param row must have rid, type, id, version, sequence, updated and content */
export function foundRow(row: SqlRow): FoundRow {
  const version = Number(row.version);
  return {
    rid: Number(row.rid),
    version: {
      sequence: Number(row.sequence),
      type: String(row.type),
      id: String(row.id),
      versionId: String(version),
      lastUpdated: instantText(Number(row.updated)),
      operation: version === 1 ? 'create' : 'update',
      content: String(row.content),
    },
  };
}

function instantText(epochMilliseconds: number): string {
  return Temporal.Instant.fromEpochMilliseconds(epochMilliseconds).toString({ fractionalSecondDigits: 3 });
}
