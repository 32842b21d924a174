// Follows the merges of patients: reads the record that stands for the other, moves what has to move, and asks a person when
// there is more here than came from the server. Every step may be repeated. docs/sync-spec.md#I8
import type { Bundle } from '@medplum/fhirtypes';
import { asFault, type Fault } from '../../fault.ts';
import { replacedBy, retired, surviving } from '../../fhir/patient-merge.ts';
import { unlessClosedSince } from '../../store/closed-meanwhile.ts';
import type { Actor } from '../../store/store.ts';
import { comparable, parseBody, resourceOf } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLink } from '../identity.ts';
import { writeMessage } from '../messages/message-log.ts';
import { applyPage } from '../pull/pull-page.ts';
import { isOfTheData } from '../pull/refused.ts';
import { readAliasOf, standsFor } from './alias.ts';
import { askWho, knownOthers } from './identity-question.ts';
import { inUseAmong, inUseFor } from './in-use.ts';
import { type MergeJob, type OpenMerge, openMerges, setMergeState } from './merge-job.ts';
import { moveAll, moveLinked } from './move-resources.ts';
import { patientHasMore } from './references-to-patient.ts';

interface FollowedMerge extends MergeJob {
  /** As it is kept. */
  readonly row: OpenMerge;
  /** Of the log, before it was looked at who stands for the two. */
  readonly head: number;
}

/** What a person decided is sent to every server; what a server reported is not sent back to it. */
const DECIDED: Actor = { reference: 'Device/baton-sync', kind: 'service' };

export async function followMerges(run: RunContext): Promise<void> {
  for (const job of await openMerges(run.store, run.connection.name)) {
    if (run.signal.aborted) return;
    const context = ownExchanges(run, { type: 'Patient', localId: job.toLocal });
    try {
      const head = await run.store.head();
      await (job.state === 'decided' ? followDecision(context, job, head) : followReport(context, job, head));
    } catch (error) {
      // Somebody edited one of the resources meanwhile; the job is still there and goes on with the next run.
      const fault = asFault(error);
      if (fault.kind === 'precondition' || fault.kind === 'conflict') continue;
      if (!isOfTheData(fault)) throw error;
      await tellRefused(context, job, fault);
    }
  }
}

/** The job stays and is tried with each run, until a person has made room for what moves. Told once for each reason. */
async function tellRefused(context: RunContext, { fromLocal, toLocal }: MergeJob, { message }: Fault): Promise<void> {
  const { store, connection, runId } = context;
  const detail = `Patient/${fromLocal} cannot be merged into Patient/${toLocal} yet. ${message}`;
  const outcome = 'merge-refused';
  const sql = `SELECT 1 FROM message WHERE connection = ? AND type = 'Patient' AND local_id = ? AND outcome = ?
    AND detail = ? LIMIT 1`;
  if ((await store.query(sql, [connection.name, fromLocal, outcome, detail])).length > 0) return;
  const about = { connection: connection.name, type: 'Patient', localId: fromLocal } as const;
  const row = writeMessage({ ...about, runId, direction: 'pull', outcome, detail }, realNow(context));
  await store.commit(actorOf(connection, runId), [], [row]);
  // What stands in the way may name patients: it is in the message only.
  context.emit({ kind: outcome, ...about });
}

async function followReport(context: RunContext, reported: OpenMerge, head: number): Promise<void> {
  const job = await inUseHere(context, await asOfNow(context, reported, head));
  if (!(await readSurvivor(context, job))) return;
  if (job.fromLocal === job.toLocal) return finish(context, job);
  if (!(await isHere(context, job.toLocal))) return (await isInDoubt(context, job)) ? undefined : finish(context, job);
  // A person had said that the two are not one.
  const denied = await knownOthers(context.store, context.connection.name, 'Patient', job.toRemote);
  if (denied.has(job.fromLocal)) return askWhetherOne(context, job);
  // By a person's word, since then, a record is theirs that is in use there.
  if (await readLink(context.store, context.connection.name, 'Patient', job.fromLocal))
    return askWhetherOne(context, job);
  await moveLinked(context, job.fromLocal, job.toLocal, head);
  if (context.signal.aborted) return;
  const actor = actorOf(context.connection, context.runId);
  // It was closed before, and the process ended before what had come meanwhile could follow.
  const standing = await inUseAmong(context.store, [job.fromLocal]);
  if (standing.get(job.fromLocal) === job.toLocal) return moveRest(context, job, actor);
  if (await patientHasMore(context, job.fromLocal)) return askWhetherOne(context, job);
  await retire(context, job, actor, false);
}

async function followDecision(context: RunContext, decided: OpenMerge, head: number): Promise<void> {
  const { fromLocal, toLocal } = decided;
  // Other merges may have been faster: it is those who stand for the two by now that are one.
  const standing = await inUseAmong(context.store, [fromLocal, toLocal]);
  const inUse = (id: string) => standing.get(id) ?? id;
  const job: FollowedMerge = { ...decided, row: decided, head, fromLocal: inUse(fromLocal), toLocal: inUse(toLocal) };
  if (!(await isHere(context, job.toLocal))) return finish(context, job);
  const emptied = new Set([fromLocal, toLocal, job.fromLocal]);
  // What this one had moved to the other before it saw that comes back.
  emptied.delete(job.toLocal);
  for (const id of emptied) await moveAll(context, DECIDED, id, job.toLocal, head);
  if (context.signal.aborted) return;
  await (job.fromLocal === job.toLocal ? finish(context, job) : retire(context, job, DECIDED, true));
}

/** The survivor may have been merged away here, too, even into the other one: two servers merge in opposite directions. */
async function inUseHere({ store }: RunContext, job: FollowedMerge): Promise<FollowedMerge> {
  const standing = await inUseAmong(store, [job.toLocal]);
  return { ...job, toLocal: standing.get(job.toLocal) ?? job.toLocal };
}

/** The survivor may have been merged itself since: nothing moves into a record that is closed. */
async function asOfNow({ store, connection }: RunContext, job: OpenMerge, head: number): Promise<FollowedMerge> {
  const standing = await standsFor(store, connection.name, job.toRemote);
  const isSame = job.fromLocal === job.toLocal || standing?.remoteId === job.toRemote;
  const now = standing && !isSame ? { toRemote: standing.remoteId, toLocal: standing.localId } : {};
  return { ...job, ...now, row: job, head };
}

/** The record as it is after the merge. False when the server cannot be asked now. */
async function readSurvivor(context: RunContext, { toRemote }: MergeJob): Promise<boolean> {
  const { client, connection, runId, store } = context;
  const reply = await client.read('Patient', toRemote);
  const about = { connection: connection.name, runId, direction: 'pull', type: 'Patient', remoteId: toRemote } as const;
  const messages = context.exchanges
    .take()
    .map((exchange) => writeMessage({ ...about, exchange, outcome: 'merged-record' }, realNow(context)));
  await store.commit(actorOf(connection, runId), [], messages);
  // One that is gone or not ours to read changes nothing about who stands for whom.
  if (!reply.ok) return reply.failure.class === 'permanent';
  const { body: resource } = reply.value;
  const page: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: resource ? [{ resource }] : [] };
  await applyPage(context, 'Patient', page, () => []);
  return true;
}

/** Nothing moves to somebody who was deleted, or whose merge here leads to somebody who was. */
async function isHere({ store }: RunContext, id: string): Promise<boolean> {
  const stored = await store.read('Patient', id);
  return stored !== undefined && stored.operation !== 'delete' && (await inUseFor(store, stored)) !== undefined;
}

/** They were deleted here while the server has their record: it goes there, too, or a person has them back. */
async function isInDoubt({ store, connection }: RunContext, { toLocal }: MergeJob): Promise<boolean> {
  const link = await readLink(store, connection.name, 'Patient', toLocal);
  return link !== undefined && link.state !== 'tombstone';
}

async function finish({ store, connection, runId }: RunContext, job: FollowedMerge): Promise<void> {
  await store.commit(actorOf(connection, runId), [], [setMergeState(job.row, 'done')]);
}

/** Nothing is left in the record: it is closed and points at the one that stands for it. What came in about it meanwhile follows. */
async function retire(context: RunContext, job: FollowedMerge, actor: Actor, isLocal: boolean): Promise<void> {
  const { store } = context;
  const from = await store.read('Patient', job.fromLocal);
  const to = await store.read('Patient', job.toLocal);
  if (!from || from.operation === 'delete' || !to || to.operation === 'delete') return finish(context, job);
  const [replaced, survivor] = [parseBody(from.content), parseBody(to.content)];
  // Another server's merge has just closed it; the next run looks again.
  if (replacedBy(survivor) !== undefined) return;
  // Another merge has closed the other one already: what stands for it stays.
  if ((await inUseAmong(store, [from.id])).has(from.id)) return finish(context, job);
  const closed = retired(replaced, `Patient/${to.id}`);
  // What the server reported, its own record of the survivor says.
  const kept = isLocal ? [surviving(survivor, replaced, `Patient/${from.id}`)] : [];
  const changes = [
    { op: 'update' as const, resource: resourceOf(closed), ifMatch: from.versionId },
    ...kept.map((body) => ({ op: 'update' as const, resource: resourceOf(body), ifMatch: to.versionId })),
  ];
  // Another merge, in the opposite direction, may just be closing the other one in favour of this one.
  await store.commit(actor, changes, isLocal ? [] : unlessClosedSince([to.id], to.sequence));
  await moveRest(context, job, actor);
}

/** What came in about the one who is closed since they were emptied, by another door. */
async function moveRest(context: RunContext, job: FollowedMerge, actor: Actor): Promise<void> {
  await moveAll(context, actor, job.fromLocal, job.toLocal, job.head);
  if (!context.signal.aborted) await finish(context, job);
}

async function askWhetherOne(context: RunContext, job: FollowedMerge): Promise<void> {
  const { store, connection, runId } = context;
  const local = await store.read('Patient', job.fromLocal);
  const alias = await readAliasOf(store, connection.name, 'Patient', job.fromLocal);
  const survivor = await readLink(store, connection.name, 'Patient', job.toLocal);
  const question = askWho(
    {
      connection: connection.name,
      type: 'Patient',
      remoteId: alias?.remoteId ?? job.fromRemote,
      remoteBody: survivor?.baseRemote ?? { resourceType: 'Patient' },
      remoteVersion: survivor?.remoteVersion,
      kind: 'identity',
      candidates: [{ localId: job.toLocal, why: 'merged', score: undefined }],
      local: local && local.operation !== 'delete' ? comparable(parseBody(local.content)) : undefined,
      localVersion: local?.versionId,
    },
    realNow(context),
  );
  await store.commit(actorOf(connection, runId), [], [...question, setMergeState(job.row, 'asked')]);
  context.emit({ kind: 'conflict', connection: connection.name, type: 'Patient', localId: job.fromLocal });
}
