// Sends what stands in for a resource: made once, brought up to date in place where the server can, replaced where it
// cannot, withdrawn when the source is. docs/sync-spec.md#I31 docs/projections.md

import type { JsonObject } from '../../fhir/canonical-json.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Statement, StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { readLink } from '../identity.ts';
import { patientOf } from '../patients/patient-reference.ts';
import { keepWithheld } from '../push/consent.ts';
import { type Claim, mark, waitFor } from '../push/outbox.ts';
import { end, type PushResult } from '../push/settle-push.ts';
import { projectedBody, type Wanted, wantedHash, withoutData } from './projection-body.ts';
import { plansAreDocuments, plansWith } from './projection-carrier.ts';
import { lookForProjection } from './projection-look.ts';
import { keyOf } from './projection-name.ts';
import { type Collected, collect } from './projection-record.ts';
import {
  literalOf,
  nextNumber,
  type Projection,
  readParts,
  readProjections,
  saveProjection,
} from './projection-row.ts';
import { lookingAt } from './projection-settle.ts';
import { fittingTarget } from './projection-target.ts';
import { wantedFrom } from './projection-wanted.ts';
import { withdrawProjection } from './projection-withdraw.ts';
import { sendNew, writeOver } from './projection-write.ts';

/** Until a patient who is not known there is looked for again. */
const PATIENT_WAIT = 15 * 60_000;

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
  const body = stored && stored.operation !== 'delete' ? parseBody(stored.content) : undefined;
  const target = body ? fittingTarget(context, asked, body) : asked;
  const current = rows.find((row) => row.state === 'current' && (row.target === target || !body));
  if (!stored || !body || isMistake(body)) return withdrawProjection(context, claim, current, rows, 'entered-in-error');
  if (target === undefined) return nothing(context, claim, 'no-capability');
  if (target === 'DocumentReference' && plansAreDocuments(context)) {
    const plans = await plansWith(context, claim.type, claim.localId);
    if (plans.length > 0) {
      const marks = await marksOf(
        context,
        claim,
        plans.map(({ id }) => id),
      );
      if (current) return withdrawProjection(context, claim, current, rows, 'superseded', marks);
      return nothing(context, claim, 'in-care-plan', marks);
    }
  }
  const other = rows.find((row) => row.state === 'current' && row.target !== target);
  if (other && context.capability.supports(other.target, 'update')) {
    return withdrawProjection(context, claim, other, rows, 'superseded', [], true);
  }
  const patient = parseLiteral(patientOf(body) ?? '')?.id;
  if (patient === undefined) return nothing(context, claim, 'no-patient');
  const link = await readLink(context.store, claim.connection, 'Patient', patient);
  if (!link || link.state === 'tombstone') return waitForPatient(context, claim, patient);
  const collected = await collect(context, stored);
  const { isPatientWithheld } = collected;
  if (isPatientWithheld && (await keepWithheld(context, claim, { type: 'Patient', id: patient }))) return 'done';
  const wanted = await wantedFrom(context, collected, link.remoteId, target);
  if (wanted.status === 'superseded' && !current) return nothing(context, claim, 'nothing-to-withdraw');
  const next = { ...nextRow(claim, rows, target), version: stored.versionId, patient, contentHash: wantedHash(wanted) };
  const work: Work = {
    context,
    claim,
    rows,
    wanted,
    collected,
    row: { ...next, reviewAt: reviewAt(context, collected) },
  };
  if (!current) return createThere(work, undefined);
  if (current.contentHash === next.contentHash) return leave(work, current);
  return context.capability.supports(target, 'update') ? updateThere(work, current) : createThere(work, current);
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

function isMistake(body: JsonObject): boolean {
  return body.status === 'entered-in-error' || body.lifecycleStatus === 'entered-in-error';
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
  return sendNew(context, claim, { ...row, sent: withoutData(body) }, body, work.rows, collected.parts);
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
  const how = { event: 'done', parts: collected.parts } as const;
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

/** Without attempts, because nothing is wrong: the patient may be registered there tomorrow. */
async function waitForPatient(context: RunContext, claim: Claim, patient: string): Promise<PushResult> {
  const now = realNow(context);
  const settlement = {
    event: 'failed',
    fault: 'The patient is not known there.',
    faultClass: 'transient',
    attempts: claim.attempts,
    nextAt: now + PATIENT_WAIT,
  } as const;
  const statements = [waitFor(claim, `Patient/${patient}`, now + PATIENT_WAIT, now)];
  await end(context, { claim, settlement, outcome: 'waits-for-patient', statements });
  return 'waiting';
}

/** Consents speak in Baton's time, rows wait by the machine's. */
function reviewAt(context: RunContext, { until }: Collected): number | undefined {
  return until === undefined ? undefined : realNow(context) + until - context.clock.now().epochMilliseconds;
}
