// What a no says, and about what: that a resource is not there, or that the server does not offer such a thing to anybody.
// docs/sync-spec.md#I29
import type { RemoteFailure } from './result.ts';

/** "Not here, for nobody": method not allowed, not implemented. RFC 9110 sections 15.5.6 and 15.6.2 */
const NOT_OFFERED = new Set([405, 501]);

/** Whether what the server states may be true no more. */
export function speaksAgainstStatement(failed: Pick<RemoteFailure, 'status' | 'issues'>): boolean {
  return saysNotOffered(failed) || NOT_OFFERED.has(failed.status ?? 0);
}

/** The answer names the type, or what is done with it, as something the server does not do at all. */
export function saysNotOffered({ status = 0, issues = [] }: Pick<RemoteFailure, 'status' | 'issues'>): boolean {
  return (status === 404 || NOT_OFFERED.has(status)) && issues.some((issue) => issue?.code === 'not-supported');
}

/** The answer is about the resource: it is not there, or was deleted. */
export function saysAbsent(failed: RemoteFailure): boolean {
  return (failed.status === 404 || failed.status === 410) && !saysNotOffered(failed);
}
