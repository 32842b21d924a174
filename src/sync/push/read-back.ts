// A write that is answered without the resource is followed by a read of it. docs/sync-spec.md#I14
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { RunContext } from '../context.ts';
import { areOrdered } from '../pull/version-order.ts';

/** Undefined when it cannot be read now. */
export async function readBack({ client }: RunContext, type: string, id: string): Promise<FhirReply | undefined> {
  const reply = await client.read(type, id);
  return reply.ok ? reply.value : undefined;
}

/**
 * Whether what was read after a write is not what the write made, as far as versions tell. An ETag may be one of the bytes of its answer
 * or of their coding: one that is no number tells only where the resource itself names its version, and in that form.
 */
export function isLater(read: FhirReply, written: FhirReply): boolean {
  const named = read.body?.meta?.versionId;
  const [made, tag] = [written.versionId, read.versionId];
  const shown = named ?? tag;
  if (made === undefined || shown === undefined || made === tag || made === shown) return false;
  return areOrdered(made, shown) || (named === tag && made.length === shown.length);
}
