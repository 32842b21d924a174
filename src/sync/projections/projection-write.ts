// Writes what stands in for a resource. What is about to be made is written down before it is sent, so that a lost answer
// is looked for by what was sent and not by what is true by then. docs/sync-spec.md#I12 docs/sync-spec.md#I31
import { asFault } from '../../fault.ts';
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import { saysAbsent, saysNotOffered } from '../../remote/absence.ts';
import type { Statement } from '../../store/store.ts';
import { comparable, isFhirId, jsonOf, resourceOf } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Claim, extend, extended, underClaim } from '../push/outbox.ts';
import { settlementAfter } from '../push/retry.ts';
import { end, endFailed, type PushResult } from '../push/settle-push.ts';
import { isAboutType, settlementIfNotOffered } from '../push/without-door.ts';
import { overlaid } from './projection-body.ts';
import { forgetProjection, type Projection, saveProjection } from './projection-row.ts';
import { settleThere } from './projection-settle.ts';

const MOST_TRIES = 3;

interface How {
  readonly event: 'done' | 'again';
  /** `Type/id` of what it looks at. */
  readonly parts?: readonly string[];
  readonly statements?: readonly Statement[];
}

/** Creates a resource that stands for the row; it is written down first. */
export async function sendNew(
  context: RunContext,
  claim: Claim,
  row: Projection,
  body: JsonObject,
  rows: readonly Projection[],
  how: How,
): Promise<PushResult> {
  const now = realNow(context);
  if (!(await writeDown(context, [extend(claim, now), saveProjection(row, now)]))) return 'waiting';
  const { requestId, until } = underClaim(extended(claim, now));
  const reply = await context.client.create(resourceOf(body), { requestId: `${requestId}-${row.number}`, until });
  if (!reply.ok) {
    const { failure } = reply;
    const isUnsure = failure.class === 'ambiguous';
    const settlement =
      (await settlementIfNotOffered(context, claim, failure, isUnsure, saysNotOffered(failure))) ??
      settlementAfter(claim, failure, isUnsure, realNow(context), context.random());
    const statements = isUnsure ? [] : [forgetProjection(row)];
    await end(context, { claim, settlement, outcome: failure.class, statements });
    return 'waiting';
  }
  const { id, versionId } = reply.value;
  if (!isFhirId(id)) {
    const message = 'The server did not say which id it gave.';
    return endFailed(context, claim, { class: 'ambiguous', message }, true);
  }
  const made = { ...row, remoteId: id, remoteVersion: versionId };
  return settleThere(context, claim, made, rows, { ...how, outcome: 'created', operation: 'create' });
}

/**
 * Reads what is there, lays elements over it and writes that, unless it is there already.
 * @param one the row afterwards
 * @param how `before`: what was sent last time, where this is the same resource brought up to date
 */
export async function writeOver(
  context: RunContext,
  claim: Claim,
  one: Projection & { readonly remoteId: string },
  ours: JsonObject,
  rows: readonly Projection[],
  how: How & { readonly before?: JsonObject },
): Promise<PushResult> {
  const { client, capability } = context;
  const { target, remoteId } = one;
  for (let tries = 1; ; tries += 1) {
    const read = await client.read(target, remoteId);
    if (!read.ok && saysAbsent(read.failure) && !(await isAboutType(context, target, read.failure))) {
      // Somebody there removed it: it is not resurrected, and what changes after that is made anew.
      const withdrawn: Projection = { ...one, state: 'withdrawn' };
      const left = one.state === 'withdrawn' ? how : ({ event: 'again' } as const);
      return settleThere(context, claim, { ...withdrawn, remoteId }, rows, { ...how, ...left, outcome: 'gone-there' });
    }
    if (!read.ok) return endFailed(context, claim, read.failure, claim.faultClass === 'ambiguous', remoteId);
    const theirs = read.value.body ? jsonOf(read.value.body) : {};
    const body = overlaid(ours, { ...theirs, id: remoteId }, how.before);
    if (sameJson(comparable(body), comparable(theirs))) {
      return settleThere(context, claim, { ...one, remoteVersion: read.value.versionId }, rows, {
        ...how,
        outcome: 'unchanged',
      });
    }
    const ifMatch = capability.guardsUpdates(target) ? read.value.versionId : undefined;
    const reply = await client.update(resourceOf(body), { ifMatch, ...underClaim(claim) });
    if (reply.ok) {
      const settled = { ...one, remoteVersion: reply.value.versionId };
      return settleThere(context, claim, settled, rows, { ...how, outcome: 'updated', operation: 'update' });
    }
    if (reply.failure.class === 'conflict' && tries < MOST_TRIES) continue;
    return endFailed(context, claim, reply.failure, reply.failure.class === 'ambiguous', remoteId);
  }
}

/** False when another worker has the row by now. */
async function writeDown(context: RunContext, statements: readonly Statement[]): Promise<boolean> {
  try {
    await context.store.commit(actorOf(context.connection, context.runId), [], statements);
    return true;
  } catch (error) {
    if (asFault(error).kind === 'conflict') return false;
    throw error;
  }
}
