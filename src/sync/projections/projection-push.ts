// Sends what stands in for a resource: made once, brought up to date in place where the server can, replaced where it
// cannot, withdrawn when the source is. docs/sync-spec.md#I31 docs/projections.md

import type { Statement, StoredVersion } from '../../store/store.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { keepWithheld } from '../push/consent.ts';
import { type Claim, mark } from '../push/outbox.ts';
import { end, endPatientUnknown, type PushResult } from '../push/settle-push.ts';
import { projectedBody, type Wanted, withoutData } from './projection-body.ts';
import { lookForProjection } from './projection-look.ts';
import { keyOf } from './projection-name.ts';
import { planProjection, type ToSend } from './projection-plan.ts';
import type { Collected } from './projection-record.ts';
import {
  literalOf,
  nextNumber,
  type Projection,
  readParts,
  readProjections,
  saveProjection,
} from './projection-row.ts';
import { lookingAt } from './projection-settle.ts';
import { withdrawProjection } from './projection-withdraw.ts';
import { sendNew, writeOver } from './projection-write.ts';

/** @param stored as it is after the claim; undefined or deleted when it is gone */
export async function pushProjection(
  context: RunContext,
  claimed: Claim,
  stored: StoredVersion | undefined,
  asked: ProjectionTarget,
): Promise<PushResult> {
  let claim = claimed;
  const source = { type: claim.type, id: claim.localId };
  const rows = await readProjections(context.store, claim.connection, source);
  const [newest] = rows;
  if (newest?.state === 'sending') {
    const looked = await lookForProjection(context, claim, newest, rows);
    if (looked !== 'absent') return looked;
    claim = { ...claim, faultClass: undefined, probedAt: undefined };
  }
  const plan = await planProjection(context, stored, rows, asked);
  switch (plan.action) {
    case 'nothing':
      return nothing(context, claim, plan.why);
    case 'withdraw':
      return withdrawProjection(context, claim, plan.current, rows, 'entered-in-error', [], plan.goesOn);
    case 'carry': {
      const marks = await marksOf(context, claim, plan.plans);
      return plan.current
        ? withdrawProjection(context, claim, plan.current, rows, 'superseded', marks)
        : nothing(context, claim, 'in-care-plan', marks);
    }
    case 'move':
      return withdrawProjection(context, claim, plan.other, rows, 'superseded', [], true);
    case 'wait':
      return endPatientUnknown(context, claim, plan.patient);
    case 'leave':
    case 'send':
      return send(context, claim, rows, plan);
  }
}

interface Work {
  readonly context: RunContext;
  readonly claim: Claim;
  readonly rows: readonly Projection[];
  readonly wanted: Wanted;
  readonly collected: Collected;
  /** As it will be, without body and remote id. */
  readonly row: Projection;
}

async function send(
  context: RunContext,
  claim: Claim,
  rows: readonly Projection[],
  { action, target, current, version, patient, collected, wanted, contentHash }: ToSend,
): Promise<PushResult> {
  const { isPatientWithheld } = collected;
  if (isPatientWithheld && (await keepWithheld(context, claim, { type: 'Patient', id: patient }))) return 'done';
  const next = { ...nextRow(claim, rows, target), version, patient, contentHash };
  const row = { ...next, reviewAt: reviewAt(context, collected) };
  const work: Work = { context, claim, rows, wanted, collected, row };
  if (!current) return createThere(work, undefined);
  if (action === 'leave') return leave(work, current);
  return context.capability.supports(target, 'update') ? updateThere(work, current) : createThere(work, current);
}

function nextRow(claim: Claim, rows: readonly Projection[], target: ProjectionTarget): Projection {
  return {
    connection: claim.connection,
    source: { type: claim.type, id: claim.localId },
    number: nextNumber(rows),
    target,
    remoteId: undefined,
    remoteVersion: undefined,
    version: '',
    contentHash: '',
    sent: {},
    patient: '',
    state: 'sending',
    reviewAt: undefined,
  };
}

/** Nothing that a reader would see has changed: no request. docs/sync-spec.md#I14 */
async function leave({ context, claim, collected, row }: Work, current: Projection): Promise<PushResult> {
  const parts = await lookingAt(context, claim, collected.parts);
  const statements = [...parts, saveProjection({ ...current, reviewAt: row.reviewAt }, realNow(context))];
  const settlement = { event: 'done' } as const;
  await end(context, { claim, settlement, remoteId: current.remoteId, outcome: 'unchanged', statements });
  return 'done';
}

async function createThere(work: Work, current: Projection | undefined): Promise<PushResult> {
  const { context, claim, row, collected } = work;
  const replaces = current && literalOf(current);
  // A new one is never made as one that is over; it says so in its text.
  const body = await projectedBody(context, { ...work.wanted, status: 'current' }, { ...row, replaces });
  const how = { event: 'done', parts: collected.parts } as const;
  return sendNew(context, claim, { ...row, sent: withoutData(body) }, body, work.rows, how);
}

/** In place, on top of what is there now, so that what the server added stays. */
async function updateThere(work: Work, current: Projection): Promise<PushResult> {
  const { context, claim, row, collected, rows } = work;
  const remoteId = String(current.remoteId);
  const { number } = current;
  const ours = await projectedBody(context, work.wanted, { ...row, number });
  const next: Projection = {
    ...row,
    number,
    state: work.wanted.status === 'superseded' ? 'withdrawn' : 'current',
    sent: withoutData(ours),
  };
  const how = { event: 'done', parts: collected.parts, before: current.sent } as const;
  return writeOver(context, claim, { ...next, remoteId }, ours, rows, how);
}

/** The plans that do not look at it yet have to. */
async function marksOf(context: RunContext, claim: Claim, plans: readonly string[]): Promise<Statement[]> {
  const marks: Statement[] = [];
  const part = keyOf({ type: claim.type, id: claim.localId });
  for (const id of plans) {
    if ((await readParts(context.store, claim.connection, { type: 'CarePlan', id })).includes(part)) continue;
    marks.push(mark(claim.connection, 'CarePlan', id, claim.sequence, realNow(context)));
  }
  return marks;
}

async function nothing(
  context: RunContext,
  claim: Claim,
  fault: string,
  statements: readonly Statement[] = [],
): Promise<PushResult> {
  await end(context, { claim, settlement: { event: 'withdrawn', fault }, outcome: fault, statements });
  return 'done';
}

/** Consents speak in Baton's time, rows wait by the machine's. */
function reviewAt(context: RunContext, { until }: Collected): number | undefined {
  return until === undefined ? undefined : realNow(context) + until - context.clock.now().epochMilliseconds;
}
