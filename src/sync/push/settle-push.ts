// Ends the work on a claimed outbox row: its new state, the link, the messages and whoever waited for it, in one commit.
import { asFault, type Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { saysNotOffered } from '../../remote/absence.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import { RevisionRefused } from '../../store/revision.ts';
import type { Statement, StoredVersion } from '../../store/store.ts';
import { whileUnchanged } from '../../store/unchanged.ts';
import { type NewConflict, openConflict } from '../conflicts/conflict.ts';
import { refusedElement } from '../conflicts/transitions.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow, type SyncEvent } from '../context.ts';
import type { Link } from '../identity.ts';
import { markStillReferring } from '../let-go.ts';
import { writeMessage } from '../messages/message-log.ts';
import { suspect } from '../pull/suspect.ts';
import { notSeenSince, readUnseen } from '../unseen.ts';
import { noteTaken, takeUpWaiting } from './door-opened.ts';
import { type Claim, NO_CAPABILITY, release, type Settlement, settle } from './outbox.ts';
import { settlementAfter } from './retry.ts';
import { settlementIfNotOffered, settlementWithoutDoor } from './without-door.ts';

/** A person takes longer; whether they have answered is looked at again. */
const ASKED_WAIT = 60_000;
/** A sweep after a restore takes a while, and an operator longer. */
const UNSEEN_WAIT = 15 * 60_000;
/** Until a patient who is not known there is looked for again. */
const UNKNOWN_WAIT = 15 * 60_000;

/** `done`: the remote has it, or will not get it as things are. `waiting`: it will be tried again or needs a person. */
export type PushResult = 'done' | 'waiting';

export interface Ending {
  readonly claim: Claim;
  readonly settlement: Settlement;
  readonly remoteId?: string | undefined;
  /** For the message log. */
  readonly outcome: string;
  readonly changes?: readonly Change[];
  readonly statements?: readonly Statement[];
  /** Holds only while this version is what is stored. */
  readonly whileStored?: StoredVersion;
  readonly event?: Pick<SyncEvent, 'kind' | 'operation'>;
  /** What is asked of a person when `changes` may not follow what is stored; `path` is the element. */
  readonly ifRefused?: (path: string) => NewConflict;
}

/** Resolves to false when the lease was lost meanwhile: then nothing was written and somebody else goes on. */
export async function end(context: RunContext, ending: Ending): Promise<boolean> {
  const { store, connection, runId, log } = context;
  const { claim, settlement, remoteId, whileStored } = ending;
  const { type, localId } = claim;
  const ended = settle(claim, settlement);
  const waiters = FINAL.has(settlement.event) ? [release(connection.name, `${type}/${localId}`)] : [];
  const isTaken = ending.event?.kind === 'pushed';
  if (isTaken && claim.waitsFor === NO_CAPABILITY) waiters.push(takeUpWaiting(connection.name, type));
  const settled = [whileStored ? whileUnchanged(ended, whileStored) : ended, ...(ending.statements ?? []), ...waiters];
  const commit = (changes: readonly Change[], statements: readonly Statement[], outcome: string) =>
    context.exchanges.attempt(() => {
      const messages = exchangesOf(context, ending, outcome);
      return store.commit(actorOf(connection, runId), changes, [...statements, ...messages]);
    });
  try {
    await commit(ending.changes ?? [], settled, ending.outcome);
  } catch (error) {
    const fault = asFault(error);
    if (error instanceof RevisionRefused && ending.ifRefused) {
      return endAsked(context, claim, ending.ifRefused(refusedElement(error, type)));
    }
    if (ending.changes?.length && REFUSALS.has(fault.kind)) {
      // Only this one stops, and a person looks at it.
      const why = `What the server has cannot be written here: ${fault.message}`;
      const parked = { event: 'exhausted', fault: why, faultClass: 'permanent' } as const;
      return end(context, { claim, settlement: parked, remoteId, outcome: 'refused-here' });
    }
    if (fault.kind !== 'conflict' && fault.kind !== 'precondition') throw error;
    log.warn({ connection: connection.name, type, id: localId }, 'push was overtaken; its row is tried again');
    // What was exchanged happened nevertheless.
    await commit([], [], 'overtaken');
    return false;
  }
  const known = { connection: connection.name, type, localId, ...(remoteId === undefined ? {} : { remoteId }) };
  if (ending.event) context.emit({ ...known, ...ending.event });
  if (isTaken) await noteTaken(context, claim);
  if (settlement.event === 'exhausted') context.emit({ ...known, kind: 'parked' });
  if (settlement.event === 'refused') context.emit({ ...known, kind: 'rejected' });
  return true;
}

/** Ends a claim whose resource waits for a person: only this one stops. docs/sync-spec.md#I10 */
export function endAsked(context: RunContext, claim: Claim, conflict: NewConflict): Promise<boolean> {
  return end(context, {
    claim,
    settlement: { event: 'again' },
    remoteId: conflict.remoteId,
    outcome: 'conflict',
    statements: openConflict(conflict, realNow(context)),
    event: { kind: 'conflict' },
  });
}

function exchangesOf(context: RunContext, { claim, remoteId }: Ending, outcome: string): Statement[] {
  const { type, localId, replayOf } = claim;
  const about = { connection: context.connection.name, runId: context.runId, direction: 'push', type } as const;
  const message = { ...about, localId, remoteId, outcome, replayOf };
  const now = realNow(context);
  const messages = context.exchanges.take().map((exchange) => writeMessage({ ...message, exchange }, now));
  // Whoever asked for it sees what came of it, also when nothing had to be sent.
  return replayOf === undefined ? messages : [...messages, writeMessage(message, now)];
}

/** The store does not take it, and will not the next time. */
const REFUSALS: ReadonlySet<Fault['kind']> = new Set(['invalid', 'unprocessable']);
const FINAL: ReadonlySet<Settlement['event']> = new Set(['done', 'again', 'withdrawn', 'withheld']);

/**
 * Ends a claim whose request failed.
 * @param isOfType whether the answer is about the type rather than the resource
 */
export async function endFailed(
  context: RunContext,
  claim: Claim,
  failure: RemoteFailure,
  unsure: boolean,
  remoteId?: string,
  isOfType = saysNotOffered(failure),
): Promise<PushResult> {
  const settlement =
    (await settlementIfNotOffered(context, claim, failure, unsure, isOfType)) ??
    settlementAfter(claim, failure, unsure, realNow(context), context.random());
  const outcome = 'waitsFor' in settlement ? NO_CAPABILITY : failure.class;
  await end(context, { claim, settlement, remoteId, outcome });
  return 'waiting';
}

/** Ends a claim that the server does not take, by what it states: counted in the outbox, not parked for a person. */
export async function endWithoutDoor(context: RunContext, claim: Claim): Promise<PushResult> {
  const settlement = settlementWithoutDoor(context, claim);
  await end(context, { claim, settlement, outcome: NO_CAPABILITY });
  return settlement.event === 'withdrawn' ? 'done' : 'waiting';
}

/** Ends a claim that waits until a person has said who its patient is there. docs/sync-spec.md#I8 */
export function endPatientAsked(context: RunContext, claim: Claim): Promise<PushResult> {
  const fault = 'Who its patient is on the server is asked (/ops/matches).';
  return endWaiting(context, claim, fault, ASKED_WAIT, 'patient-asked');
}

/** Ends a claim that waits until it is found out what a replaced server has lost. docs/sync-spec.md#I5 */
export function endUnseen(context: RunContext, claim: Claim): Promise<PushResult> {
  const fault = 'The server was wiped or restored and does not have it; a sweep finds out what it lost.';
  return endWaiting(context, claim, fault, UNSEEN_WAIT, 'unseen');
}

/** The same where an id is another's there by now; unless that is known, the next pull finds out that the server is another than it was. */
export async function endGivenOutAgain(context: RunContext, claim: Claim, link: Link): Promise<PushResult> {
  const isKnown = (await readUnseen(context.store, link.connection, link.type, link.remoteId)) !== undefined;
  const fault = 'The server has another resource under this id: it was restored, and a sweep finds out what it lost.';
  // Until then an update of it looks first.
  const found = [suspect(context, link), notSeenSince(link.connection, link.type, [link.remoteId])];
  return endWaiting(context, claim, fault, ASKED_WAIT, 'unseen', undefined, isKnown ? [] : found);
}

/** The same of what is about a patient whose record there nobody has seen since. @param patient local id */
export function endPatientUnseen(context: RunContext, claim: Claim, patient: string): Promise<PushResult> {
  const fault = 'The server was wiped or restored and has not shown the patient since: who has their id is not known.';
  return endWaiting(context, claim, fault, ASKED_WAIT, 'patient-unseen', `Patient/${patient}`);
}

export const PATIENT_UNKNOWN = 'The patient is not known there.';

/** Ends a claim about somebody whom the server does not know: they may be registered there tomorrow. @param patient local id */
export function endPatientUnknown(context: RunContext, claim: Claim, patient: string): Promise<PushResult> {
  return endWaiting(context, claim, PATIENT_UNKNOWN, UNKNOWN_WAIT, 'waits-for-patient', `Patient/${patient}`);
}

/** Parks what is about a patient whom a replaced server has lost, by a person's word for good: until they are there again. @param patient local id */
export async function endPatientGone(context: RunContext, claim: Claim, patient: string): Promise<PushResult> {
  const fault = `The server has lost Patient/${patient}, who is gone there by a person's decision; somebody else may have their id.`;
  const { type, localId, connection } = claim;
  // What named a record of it that was lost goes without one.
  const statements = await markStillReferring(context.store, connection, { type, id: localId }, realNow(context));
  const settlement = { event: 'exhausted', fault, waitsFor: `Patient/${patient}` } as const;
  await end(context, { claim, settlement, outcome: 'patient-gone', statements });
  return 'waiting';
}

/** Nothing failed: what was attempted so far counts as before. */
async function endWaiting(
  context: RunContext,
  claim: Claim,
  fault: string,
  wait: number,
  outcome: string,
  waitsFor?: string,
  statements: readonly Statement[] = [],
): Promise<PushResult> {
  const settlement = {
    event: 'failed',
    fault,
    faultClass: claim.faultClass ?? 'transient',
    attempts: claim.attempts,
    nextAt: realNow(context) + wait,
    ...(claim.probedAt === undefined ? {} : { probedAt: claim.probedAt }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
  } as const;
  await end(context, { claim, settlement, outcome, statements });
  return 'waiting';
}

/** Nothing will be sent, and that is fine: counted in the outbox, not parked for a person. docs/sync-spec.md#I29 */
export async function withdraw(context: RunContext, claim: Claim, fault: string): Promise<PushResult> {
  const { faultClass } = claim;
  // What an earlier attempt may have made there is looked for when it goes after all; see mayHaveBeenMade.
  const known = faultClass === 'ambiguous' ? { faultClass } : {};
  await end(context, { claim, settlement: { event: 'withdrawn', fault, ...known }, outcome: fault });
  return 'done';
}
