// Rows of `version` and `resource` as the shapes the rest of Baton sees, and a resource as the text that is stored.
import type { Resource } from '@medplum/fhirtypes';
import { formatInstant } from './instant.ts';
import type { LogEntry, SqlRow, StoredVersion } from './store.ts';

/** Columns of `version` that `storedVersion` needs. */
export const VERSION_COLUMNS = 'sequence, type, id, version, updated, operation, content';

/** A row of `version`. */
export function storedVersion(row: SqlRow): StoredVersion {
  return {
    sequence: row.sequence as number,
    type: row.type as string,
    id: row.id as string,
    versionId: String(row.version),
    lastUpdated: formatInstant(row.updated as number),
    operation: row.operation as StoredVersion['operation'],
    content: row.content as string,
  };
}

/** A row of `version` with who made it. */
export function logEntry(row: SqlRow): LogEntry {
  return {
    ...storedVersion(row),
    actor: row.actor as string,
    origin: row.origin as string | null,
    kind: row.kind as LogEntry['kind'],
    client: row.client as string | null,
  };
}

/** A row of `resource`. It does not say how version 1 came about, so that one counts as created. */
export function currentVersion(row: SqlRow): StoredVersion {
  const patients = patientsOf(row);
  return {
    sequence: row.sequence as number,
    type: row.type as string,
    id: row.id as string,
    versionId: String(row.version),
    lastUpdated: formatInstant(row.updated as number),
    operation: row.deleted ? 'delete' : row.version === 1 ? 'create' : 'update',
    content: row.content as string,
    ...(patients ? { patients } : {}),
  };
}

/** Column `patients` of `resource`; undefined when nobody has noted them. */
export function patientsOf({ patients }: SqlRow): string[] | undefined {
  if (typeof patients !== 'string') return undefined;
  return patients === '' ? [] : patients.split(' ');
}

/**
 * The resource as it will be stored: id and meta right after resourceType, versionId and lastUpdated the store's own
 * whatever the client sent. https://hl7.org/fhir/R4/http.html#update
 */
export function stamped<T extends Resource>(resource: T, id: string, version: number, updated: number): T {
  const { resourceType, id: _, meta, ...rest } = resource;
  const stamp = { versionId: String(version), lastUpdated: formatInstant(updated) };
  return { resourceType, id, meta: { ...stamp, ...meta, ...stamp }, ...rest } as T;
}
