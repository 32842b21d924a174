// What is wrong with one resource, as opposed to the store or the network: that one is kept raw, and the rest goes on.
// docs/sync-spec.md#I7
import { type Fault, type FaultKind, outcomeOf } from '../../fault.ts';
import type { JsonObject } from '../../fhir/canonical-json.ts';

export interface Refused {
  readonly remoteId: string | undefined;
  /** As it was received. */
  readonly body: string;
  readonly detail: string;
}

const OF_THE_DATA: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'invalid',
  'unprocessable',
  'multiple-matches',
  'too-large',
  'not-found',
  'gone',
]);

/** The same resource would fail the same way the next time. */
export function isOfTheData({ kind }: Fault): boolean {
  return OF_THE_DATA.has(kind);
}

/** A resource that is kept aside for a fault of its data. */
export function refusedBy(
  { remoteId, body }: { readonly remoteId: string; readonly body: JsonObject },
  fault: Fault,
): Refused {
  return { remoteId, body: JSON.stringify(body), detail: JSON.stringify(outcomeOf(fault).issue) };
}
