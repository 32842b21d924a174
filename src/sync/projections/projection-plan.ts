// What is to be done about what stands in for a resource, decided without doing it: for the push, and for those who want to see
// it before. docs/sync-spec.md#I31
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { StoredVersion } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { ProjectionTarget } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { readLink } from '../identity.ts';
import { patientOf } from '../patients/patient-reference.ts';
import { type Wanted, wantedHash } from './projection-body.ts';
import { plansAreDocuments, plansWith } from './projection-carrier.ts';
import { type Collected, collect } from './projection-record.ts';
import { asksTheSame } from './projection-request.ts';
import type { Projection } from './projection-row.ts';
import { WITHDRAWAL } from './projection-settle.ts';
import { fittingTarget } from './projection-target.ts';
import { wantedFrom } from './projection-wanted.ts';
import { canBeWithdrawn } from './projection-withdraw.ts';

export type ProjectionPlan =
  | { readonly action: 'nothing'; readonly why: 'no-capability' | 'no-patient' | 'nothing-to-withdraw' }
  /** The source is gone or a mistake. `goesOn`: more than this one stands there. */
  | { readonly action: 'withdraw'; readonly current: Projection | undefined; readonly goesOn: boolean }
  /** Plans carry it in their documents, and need none of its own. */
  | { readonly action: 'carry'; readonly plans: readonly string[]; readonly current: Projection | undefined }
  /** It stands there as something else, which is withdrawn before it goes as `target`, or in the documents of plans. */
  | {
      readonly action: 'move';
      readonly other: Projection;
      readonly target: ProjectionTarget;
      readonly plans: readonly string[];
    }
  /** Its patient is not known there. */
  | { readonly action: 'wait'; readonly patient: string }
  | ToSend;

/** @property action `leave`: nothing that a reader would see has changed */
export interface ToSend {
  readonly action: 'leave' | 'send';
  readonly target: ProjectionTarget;
  readonly current: Projection | undefined;
  readonly version: string;
  /** Id here. */
  readonly patient: string;
  readonly collected: Collected;
  readonly wanted: Wanted;
  readonly contentHash: string;
}

/**
 * @param stored undefined or deleted when the source is gone
 * @param rows all that was sent of the source, the newest first
 */
export async function planProjection(
  context: RunContext,
  stored: StoredVersion | undefined,
  rows: readonly Projection[],
  asked: ProjectionTarget,
): Promise<ProjectionPlan> {
  const { store, connection, capability } = context;
  const body = stored && stored.operation !== 'delete' ? parseBody(stored.content) : undefined;
  if (!stored || !body || isMistake(body)) return planWithdrawal(context, rows);
  const target = fittingTarget(context, asked, body);
  if (target === undefined) return { action: 'nothing', why: 'no-capability' };
  const current = rows.find((row) => row.state === 'current' && row.target === target);
  const plans = target === 'DocumentReference' ? await plansThatCarry(context, stored) : [];
  const other = rows.find((row) => row.state === 'current' && row.target !== target);
  if (other && capability.supports(other.target, 'update')) return { action: 'move', other, target, plans };
  if (plans.length > 0) return { action: 'carry', plans, current };
  const patient = parseLiteral(patientOf(body) ?? '')?.id;
  if (patient === undefined) return { action: 'nothing', why: 'no-patient' };
  const link = await readLink(store, connection.name, 'Patient', patient);
  if (!link || link.state === 'tombstone') return { action: 'wait', patient };
  const collected = await collect(context, stored);
  const wanted = await wantedFrom(context, collected, link.remoteId, target);
  if (wanted.status === 'superseded' && !current) return { action: 'nothing', why: 'nothing-to-withdraw' };
  const contentHash = wantedHash(wanted);
  const isSame = current?.contentHash === contentHash && asksTheSame(current.sent, collected.record.focus);
  const action = isSame ? 'leave' : 'send';
  return { action, target, current, version: stored.versionId, patient, collected, wanted, contentHash };
}

/** Whatever stands there, as what it went at the time; else what says that it is over, and not that it was a mistake. */
function planWithdrawal(context: RunContext, rows: readonly Projection[]): ProjectionPlan {
  const standing = rows.filter(({ state }) => state === 'current');
  const able = standing.filter((row) => canBeWithdrawn(context, row));
  const over = rows.find((row) => row.state === 'withdrawn' && isOver(context, row));
  return { action: 'withdraw', current: able[0] ?? standing[0] ?? over, goesOn: able.length > 1 };
}

function isOver({ capability }: RunContext, { contentHash, remoteId, target }: Projection): boolean {
  return contentHash !== WITHDRAWAL && remoteId !== undefined && capability.supports(target, 'update');
}

async function plansThatCarry(context: RunContext, { type, id }: StoredVersion): Promise<string[]> {
  return plansAreDocuments(context) ? (await plansWith(context, type, id)).map((plan) => plan.id) : [];
}

function isMistake(body: JsonObject): boolean {
  return body.status === 'entered-in-error' || body.lifecycleStatus === 'entered-in-error';
}
