// The history of a type as a fake remote answers it: every version, newest first, deletes as entries without a resource.
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';

export interface Version {
  readonly type: string;
  readonly id: string;
  /** Absent: deleted. */
  readonly resource?: Resource;
  /** FHIR instant. */
  readonly at: string;
}

/** @param url of the history, without parameters */
export function historyOf(
  versions: readonly Version[],
  type: string,
  parameters: URLSearchParams,
  pageSize: number,
  url: string,
): Bundle {
  const since = parameters.get('_since');
  const found = versions
    .filter((one) => one.type === type && (since === null || Temporal.Instant.compare(one.at, since) >= 0))
    .toReversed();
  const offset = Number(parameters.get('_offset') ?? 0);
  const next = new URLSearchParams(parameters);
  next.set('_offset', String(offset + pageSize));
  return {
    resourceType: 'Bundle',
    type: 'history',
    link: offset + pageSize < found.length ? [{ relation: 'next', url: `${url}?${next}` }] : [],
    entry: found.slice(offset, offset + pageSize).map(entryOf),
  };
}

function entryOf({ type, id, resource, at }: Version): BundleEntry {
  const response = { status: resource ? '200' : '204', lastModified: at };
  const request = { method: resource ? 'PUT' : 'DELETE', url: `${type}/${id}` } as const;
  return resource ? { resource, request, response } : { request, response };
}
