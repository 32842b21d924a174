// Sends what is marked: claim, dependencies first, compare, send, settle. Each step survives a crash, because the row says
// what may have happened. docs/sync-spec.md#I11
import { asFault } from '../../fault.ts';
import { actorOf, pushes } from '../connections/settings.ts';
import { upToDate } from '../connections/up-to-date.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLink } from '../identity.ts';
import { isPatientAsked } from '../patients/asked-first.ts';
import { patientUnknownThere } from '../patients/patient-known.ts';
import { isAnyPatientUnseen, unseenPatientOf } from '../patients/patient-unseen.ts';
import { pushProjection } from '../projections/projection-push.ts';
import { readProjections } from '../projections/projection-row.ts';
import { projectionTarget } from '../projections/projection-target.ts';
import { keepWithheld } from './consent.ts';
import { canPush, keyOf, pushOrder, type Ref } from './dependencies.ts';
import { dueRows } from './due-rows.ts';
import { handOver } from './hand-over.ts';
import { mergedAway } from './merged-away.ts';
import {
  type Claim,
  claim as claimRow,
  isRefused,
  mark,
  mayHaveBeenMade,
  NO_CAPABILITY,
  type OutboxRow,
  readOutbox,
  rememberAttempt,
  unclaim,
  waitFor,
} from './outbox.ts';
import { pushCreate } from './push-create.ts';
import { type Claimed, pushCycle } from './push-cycle.ts';
import { pushDelete } from './push-delete.ts';
import { pushUpdate } from './push-update.ts';
import {
  endPatientAsked,
  endPatientGone,
  endPatientUnknown,
  endPatientUnseen,
  endWithoutDoor,
  type PushResult,
  withdraw,
} from './settle-push.ts';

const WAIT = 60_000;
/** For a dependency that another worker is sending right now. */
const SHORT_WAIT = 2_000;
/** For a dependency that the remote refuses: only a new version of it changes that. */
const LONG_WAIT = 15 * 60_000;

/** More rounds with one row in one run would be a circle. */
const MOST_ROUNDS = 10;

/** Short enough that what comes from the server, and what is written here meanwhile, does not wait for a long backlog. */
const TURN_MS = 60_000;

/**
 * Works until nothing is due, the server does not answer any more, Baton stops, or the turn is over.
 * @param workers rows worked on at a time
 * @returns whether the turn was over before that
 */
export async function drainOutbox(context: RunContext, workers: number): Promise<boolean> {
  const end = realNow(context) + TURN_MS;
  let isOver = false;
  const rounds = new Map<string, number>();
  const due = dueRows(context);
  const sending = new Map<string, Promise<unknown>>();
  const work = async () => {
    while (!context.signal.aborted && (await context.remote.available(context.client))) {
      const row = await due.next();
      if (!row) return;
      isOver ||= realNow(context) >= end;
      if (isOver) return;
      const round = (rounds.get(row.id) ?? 0) + 1;
      rounds.set(row.id, round);
      if (round <= MOST_ROUNDS) await pushRow(await upToDate(context), row, sending);
      else await putOff(context, row, [{ type: row.type, id: row.localId }]);
      due.done(row);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return isOver;
}

/**
 * Pushes the resource of a row and everything that must be there before it.
 * @param sending what the workers of this run are sending, so that they wait for each other instead of colliding
 */
async function pushRow(context: RunContext, row: OutboxRow, sending: Map<string, Promise<unknown>>): Promise<void> {
  const self = keyOf({ type: row.type, id: row.localId });
  for (const component of await pushOrder(context, { type: row.type, id: row.localId })) {
    const keys = component.map(keyOf);
    const underway = keys.flatMap((key) => sending.get(key) ?? []);
    if (underway.length > 0) {
      await Promise.all(underway);
      // What was sent meanwhile changes what is left to do; the row is still due and comes round again.
      return;
    }
    const pushing = claimAndPush(context, component);
    for (const key of keys) sending.set(key, pushing);
    const result = await pushing.finally(() => {
      for (const key of keys) sending.delete(key);
    });
    const others = component.filter((ref) => keyOf(ref) !== self);
    if (result === 'taken') return putOff(context, row, others);
    if (result === 'waiting' && others.length === component.length) return putOff(context, row, others);
  }
}

/** `taken`: it is not the time for one of them, or another process has it. */
async function claimAndPush(context: RunContext, component: readonly Ref[]): Promise<PushResult | 'taken'> {
  const members = await claimAll(context, component);
  if (members.length === 0) return 'taken';
  const result = await pushComponent(context, members);
  return members.length < component.length ? 'waiting' : result;
}

/** The row waits for one of the resources; for nothing in particular when there are none. */
async function putOff(context: RunContext, row: OutboxRow, targets: readonly Ref[]): Promise<void> {
  const now = realNow(context);
  const [target] = targets;
  const nextAt = now + (await waitingTime(context, targets));
  await commit(context, waitFor(row, target && keyOf(target), nextAt, now));
}

async function pushComponent(context: RunContext, claimed: readonly Claimed[]): Promise<PushResult> {
  const members: Claimed[] = [];
  let isWaiting = false;
  for (const member of claimed) {
    const own = ownExchanges(context, member.claim);
    if (await keepWithheld(own, member.claim)) continue;
    if (await keepForPatient(own, member)) isWaiting = true;
    else members.push(member);
  }
  const [only, second] = members;
  if (!only) return isWaiting ? 'waiting' : 'done';
  if (!second) return pushOne(ownExchanges(context, only.claim), only);
  return pushCycle(ownExchanges(context), members, (one) => pushOne(ownExchanges(context, one.claim), one));
}

async function pushOne(context: RunContext, { claim, stored }: Claimed): Promise<PushResult> {
  // What only comes in is marked when it was merged, and by a person's decision.
  if (!pushes(context.connection, claim.type)) return withdraw(context, claim, 'comes-in-only');
  const link = await readLink(context.store, claim.connection, claim.type, claim.localId);
  const target = projectionTarget(context, claim.type, link !== undefined && link.state !== 'tombstone');
  if (target) {
    if (!link) await keepAttempt(context, claim);
    return pushProjection(context, claim, stored, target);
  }
  if (!stored || stored.operation === 'delete') return pushDelete(context, claim, stored, link);
  if (link?.state === 'tombstone') return withdraw(context, claim, 'deleted-remotely');
  if (link) return (await handOver(context, claim, stored, link)) ?? pushUpdate(context, claim, stored, link);
  const merged = await mergedAway(context, stored);
  if (merged) return withdraw(context, claim, merged);
  if (!canPush(context, claim.type)) return endWithoutDoor(context, claim);
  if (await isPatientAsked(context, stored)) return endPatientAsked(context, claim);
  const unknown = await patientUnknownThere(context, stored);
  if (unknown !== undefined) return endPatientUnknown(context, claim, unknown);
  return pushCreate(context, claim, stored);
}

/** True when it would name a patient there anew and nobody knows who has their id by now: then its row waits, or is parked. */
async function keepForPatient(context: RunContext, { claim, stored }: Claimed): Promise<boolean> {
  const { store, connection } = context;
  if (!stored || stored.operation === 'delete' || !pushes(connection, claim.type)) return false;
  if (!(await isAnyPatientUnseen(context))) return false;
  const link = await readLink(store, connection.name, claim.type, claim.localId);
  if (link?.state === 'tombstone') return false;
  const patient = await unseenPatientOf(context, stored, link?.baseLocal);
  if (patient === undefined) return false;
  await (patient.isGone ? endPatientGone : endPatientUnseen)(context, claim, patient.localId);
  return true;
}

/** What an earlier attempt to make the resource itself may have made is not forgotten because something stands in for it now. */
async function keepAttempt({ store, connection, runId, ...context }: RunContext, claim: Claim): Promise<void> {
  if (claim.faultClass !== 'ambiguous' || (await mayHaveBeenMade(store, claim))) return;
  const [newest] = await readProjections(store, connection.name, { type: claim.type, id: claim.localId });
  // Then it was an attempt to make what stands in.
  if (newest?.state === 'sending') return;
  await store.commit(actorOf(connection, runId), [], [rememberAttempt(claim, context.clock.real().epochMilliseconds)]);
}

/** All of them, but for those of a circle that are held up: the others do without them. None when one is not to be had now. */
async function claimAll(context: RunContext, component: readonly Ref[]): Promise<Claimed[]> {
  const keys = component.map(keyOf);
  const claimed: Claimed[] = [];
  for (const ref of component) {
    const row = await liveRow(context, ref);
    const now = realNow(context);
    // Those of a circle that wait for each other would for good.
    const isDue = !row || row.nextAt <= now || keys.some((key) => key === row.waitsFor && key !== keyOf(ref));
    if (!row || (!isDue && row.waitsFor === NO_CAPABILITY)) continue;
    const { claim, statement } = claimRow(row, now);
    if (isDue && (await commit(context, statement))) {
      claimed.push({ claim, stored: await context.store.read(ref.type, ref.id) });
      continue;
    }
    for (const one of claimed) await commit(context, unclaim(one.claim, realNow(context) + SHORT_WAIT));
    return [];
  }
  return claimed;
}

/**
 * The row to claim; a dependency that was never marked, because it is older than the connection, is marked now.
 * @returns undefined when a person has to do something first
 */
async function liveRow(context: RunContext, { type, id }: Ref): Promise<OutboxRow | undefined> {
  const { store, connection } = context;
  const row = await readOutbox(store, connection.name, type, id);
  if (row?.state === 'queued' || row?.state === 'sending') return row;
  const stored = await store.read(type, id);
  if (row?.state === 'parked' || (stored && (await isRefused(store, connection.name, stored)))) return undefined;
  const sequence = stored?.sequence ?? 0;
  await store.commit(actorOf(connection), [], [mark(connection.name, type, id, sequence, realNow(context))]);
  return readOutbox(store, connection.name, type, id);
}

async function waitingTime({ store, connection }: RunContext, component: readonly Ref[]): Promise<number> {
  for (const { type, id } of component) {
    const state = (await readOutbox(store, connection.name, type, id))?.state;
    if (state === 'rejected') return LONG_WAIT;
    // Done just now: its release has gone by already and would not come again.
    if (state === 'sending' || state === 'sent' || state === 'superseded') return SHORT_WAIT;
  }
  return WAIT;
}

/** False when another worker was faster. */
async function commit(context: RunContext, statement: ReturnType<typeof waitFor>): Promise<boolean> {
  try {
    await context.store.commit(actorOf(context.connection, context.runId), [], [statement]);
    return true;
  } catch (error) {
    if (asFault(error).kind === 'conflict') return false;
    throw error;
  }
}
