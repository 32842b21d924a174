// Takes back what was sent, when its source was deleted or a mistake, or when something else carries it now. Where the
// server cannot update, a notice takes its place.
import type { Coding } from '@medplum/fhirtypes';
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import type { PlanDocument } from '../../fhir/care-plan-document/document.ts';
import type { Statement } from '../../store/store.ts';
import type { RunContext } from '../context.ts';
import type { Claim } from '../push/outbox.ts';
import { end, type PushResult } from '../push/settle-push.ts';
import { projectedBody, type Wanted, withoutData } from './projection-body.ts';
import { literalOf, nextNumber, type Projection } from './projection-row.ts';
import { WITHDRAWAL } from './projection-settle.ts';
import { sendNew, writeOver } from './projection-write.ts';

/** `superseded`: a care plan carries it now. */
type Why = 'entered-in-error' | 'superseded';

const TEXTS: Record<Why, string> = {
  'entered-in-error': 'What was sent before was withdrawn by the sender and does not hold any more.',
  superseded: 'What was sent before is part of a care plan now, which has a document of its own.',
};

/**
 * @param statements that belong to the commit at its end
 * @param goesOn whether something else is to be sent for the same row
 */
export async function withdrawProjection(
  context: RunContext,
  claim: Claim,
  current: Projection | undefined,
  rows: readonly Projection[],
  why: Why,
  statements: readonly Statement[] = [],
  goesOn = false,
): Promise<PushResult> {
  const { capability } = context;
  if (!current || !canBeWithdrawn(context, current)) {
    const fault = current ? 'cannot-be-withdrawn-there' : 'nothing-to-withdraw';
    await end(context, { claim, settlement: { event: 'withdrawn', fault }, outcome: fault, statements });
    return 'done';
  }
  const row: Projection = { ...current, contentHash: WITHDRAWAL, reviewAt: undefined };
  if (capability.supports(current.target, 'update')) {
    const withdrawn = { ...row, state: 'withdrawn', remoteId: current.remoteId } as const;
    const how = { event: goesOn ? 'again' : 'done', parts: [], statements } as const;
    return writeOver(context, claim, withdrawn, overStatus(current, why), rows, how);
  }
  const notice: Projection = {
    ...row,
    number: nextNumber(rows),
    state: 'sending',
    remoteId: undefined,
    remoteVersion: undefined,
  };
  const body = await noticeBody(context, notice, current, TEXTS[why]);
  const how = { event: goesOn ? 'again' : 'done', parts: [], statements } as const;
  return sendNew(context, claim, { ...notice, sent: withoutData(body) }, body, rows, how);
}

/** A request that cannot be updated stands: nothing that could be sent besides it would end it. */
export function canBeWithdrawn(
  { capability }: RunContext,
  current: Projection,
): current is Projection & { readonly remoteId: string } {
  const { target, remoteId } = current;
  return remoteId !== undefined && (target !== 'ServiceRequest' || capability.supports(target, 'update'));
}

function overStatus({ target }: Projection, why: Why): JsonObject {
  if (target === 'DocumentReference') return why === 'superseded' ? { status: why } : { status: why, docStatus: why };
  if (target === 'ServiceRequest' && why === 'superseded') return { status: 'revoked' };
  return { status: 'entered-in-error' };
}

async function noticeBody(
  context: RunContext,
  notice: Projection,
  before: Projection,
  text: string,
): Promise<JsonObject> {
  const { sent } = before;
  const document: PlanDocument = {
    title: `Withdrawn: ${titleOf(sent)}`,
    person: '',
    isComplete: true,
    facts: [{ label: 'Withdrawn', text }],
    sections: [],
    produced: context.clock.now().toString({ smallestUnit: 'millisecond' }),
    sources: [`${before.source.type}/${before.source.id}`],
  };
  const security = isJsonObject(sent.meta) ? sent.meta.security : undefined;
  const wanted: Wanted = {
    document,
    labels: Array.isArray(security) ? (security as unknown as Coding[]) : [],
    patient: String(isJsonObject(sent.subject) ? sent.subject.reference : '').replace('Patient/', ''),
    status: 'current',
    readers: [],
  };
  const body = await projectedBody(context, wanted, { ...notice, replaces: literalOf(before) });
  return sent.recipient ? { ...body, recipient: sent.recipient } : body;
}

/** How the document that was sent is called. */
function titleOf({ type, payload }: JsonObject): string {
  if (isJsonObject(type) && typeof type.text === 'string') return type.text;
  const [first] = Array.isArray(payload) ? payload : [];
  const text = isJsonObject(first) && typeof first.contentString === 'string' ? first.contentString : '';
  return text.split('\n')[0] || 'care plan';
}
