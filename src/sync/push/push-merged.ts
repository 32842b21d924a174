// A patient that turns out, on the way out, to have another record on the server: the link moves there before anything is
// sent. docs/sync-spec.md#I8
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import { jsonOf } from '../body.ts';
import type { RunContext } from '../context.ts';
import type { Link } from '../identity.ts';
import { idOfPatient } from '../patients/held.ts';
import { mergeInto } from '../patients/remote-merge.ts';
import type { Claim } from './outbox.ts';
import { end, endFailed, type PushResult } from './settle-push.ts';

/** Epic's word for a record that was merged into another. */
const MERGED_CODE = '4107';

/** The server says that the record is elsewhere, by a redirect or in its own words; a read tells where. */
export function saysMerged({ status, issues = [] }: RemoteFailure): boolean {
  if (status !== undefined && status >= 301 && status <= 308 && status !== 304) return true;
  return issues.some(({ details }) => details?.coding?.some(({ code }) => code === MERGED_CODE));
}

/**
 * What a read of a linked record brought, when that is another record or one that is no longer used.
 * @returns undefined when it is the record itself, in use
 */
export async function followOnPush(
  context: RunContext,
  claim: Claim,
  link: Link,
  { body, versionId }: FhirReply,
): Promise<PushResult | undefined> {
  const other = body?.id !== undefined && body.id !== link.remoteId ? body.id : undefined;
  if (claim.type !== 'Patient') return other === undefined ? undefined : refuseOther(context, claim, link);
  const reference = body ? replacedBy(jsonOf(body)) : undefined;
  const target = other ?? (reference === undefined ? undefined : idOfPatient(reference, context.mapping.remoteBase));
  if (target === undefined) return undefined;
  const record = { remoteId: link.remoteId, body: body ? jsonOf(body) : {}, version: versionId };
  const merge = await mergeInto(context, record, link, target);
  if ('failure' in merge) return endFailed(context, claim, merge.failure, false, link.remoteId);
  await end(context, {
    claim,
    settlement: { event: 'again' },
    remoteId: link.remoteId,
    outcome: merge.outcome,
    statements: merge.statements,
    event: { kind: 'merged' },
  });
  return 'waiting';
}

/** Never merged into ours: it is somebody else's. */
function refuseOther(context: RunContext, claim: Claim, link: Link): Promise<PushResult> {
  const message = 'The server answered with another resource than the one it was asked for.';
  return endFailed(context, claim, { class: 'permanent', message }, false, link.remoteId);
}
