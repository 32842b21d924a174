// A person's answer to the question who a remote record is here. One answer settles it for good; what waited for it goes on
// with the next run. docs/sync-spec.md#I8
import { asFault, Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { reopened, replacedBy } from '../../fhir/patient-merge.ts';
import type { Actor, Statement, Store, StoredVersion } from '../../store/store.ts';
import { parseBody, resourceOf } from '../body.ts';
import { closeConflict } from '../conflicts/conflict.ts';
import { readLink, readLinksByRemote, replaceLink, saveLink, unlessLinked } from '../identity.ts';
import { markReferring, nowMeans, standsForNobody } from '../let-go.ts';
import { startCatchUp } from '../pull/to-catch-up.ts';
import { mark } from '../push/outbox.ts';
import { endAlias, forgetAlias, readAlias, saveAlias } from './alias.ts';
import { type AskedQuestion, notTheSame, readQuestion, theSameAfterAll } from './identity-question.ts';
import { inUseFor } from './in-use.ts';
import { decideMerge } from './merge-job.ts';
import { letGoTakenBack } from './taken-back.ts';

/**
 * `link`: it is this one of ours; with `merge` also when another one of ours is linked with it, into whom this one is merged
 * then. `new`: it is none of the candidates, and comes in as a patient of its own. `apart`: it is
 * none of the candidates, and that is all. `later`: not shown again before `until`, epoch milliseconds.
 */
export type MatchDecision =
  | { readonly decision: 'link'; readonly to: string; readonly merge?: boolean }
  | { readonly decision: 'new' | 'apart' }
  | { readonly decision: 'later'; readonly until: number };

/**
 * @param now epoch milliseconds of the machine's clock
 * @throws Fault not-found | conflict (decided already) | unprocessable (no such resource of ours)
 */
export async function decideMatch(...given: Parameters<typeof decideAsItIs>): Promise<void> {
  try {
    await decideAsItIs(...given);
  } catch (error) {
    if (asFault(error).kind !== 'conflict') throw error;
    // A push has just made ours there, or somebody else was faster.
    await decideAsItIs(...given);
  }
}

async function decideAsItIs(
  store: Store,
  actor: Actor,
  id: string,
  decision: MatchDecision,
  now: number,
): Promise<void> {
  const question = await readQuestion(store, id);
  if (!question || (question.kind !== 'identity' && question.kind !== 'duplicate')) {
    throw new Fault('not-found', `There is no possible match ${id}.`);
  }
  if (question.state !== 'open') throw new Fault('conflict', `Match ${id} is ${question.state} already.`);
  if (decision.decision === 'later') {
    const sql = "UPDATE conflict SET later = ? WHERE id = ? AND state = 'open'";
    await store.commit(actor, [], [{ sql, params: [decision.until, id], rows: 1 }]);
    return;
  }
  const { connection, type, remoteId } = question;
  const chosen = decision.decision === 'link' ? await chosenOf(store, question, decision.to) : undefined;
  const to = chosen?.stored.id;
  const said = decision.decision === 'link' ? decision.to : undefined;
  const others = question.candidates.filter(({ localId }) => localId !== to && localId !== said);
  const second = to === undefined ? await readAlias(store, connection, type, remoteId) : undefined;
  const isNone = to === undefined && question.candidates.some(({ why }) => why === 'merged');
  const isOthers = others.some(({ why }) => why === 'unmerged');
  const statements: Statement[] = [
    closeConflict(id, decision.decision, actor.reference, now),
    ...others.map(({ localId }) => notTheSame({ connection, type, localId, remoteId }, actor.reference, now)),
    ...(to === undefined ? [] : [theSameAfterAll(connection, type, to, remoteId)]),
    // What an earlier answer made of it holds no more.
    ...(second && second.how !== 'merged' ? endAlias(connection, type, remoteId) : []),
    // Nor does it stand for a record of ours that the server merged into it.
    ...(isNone && !second ? await standsForNobody(store, question, now) : []),
    ...(isOthers ? await letGoTakenBack(store, { connection, remoteId }, to, now) : []),
    ...(chosen && decision.decision === 'link'
      ? await linking(store, question, { to: chosen.stored.id, merge: decision.merge }, now)
      : []),
  ];
  const touched = new Set([...question.candidates.map(({ localId }) => localId), ...(to === undefined ? [] : [to])]);
  for (const localId of touched) {
    const sequence = (await store.read(type, localId))?.sequence;
    if (sequence !== undefined) statements.push(mark(connection, type, localId, sequence, now));
  }
  await store.commit(actor, chosen?.changes ?? [], statements);
  // The rows say what was decided; the trail says about whom, so that a patient's own trail has it.
  const patients = type === 'Patient' ? [...touched] : [];
  const record = { actor, interaction: `match-${decision.decision}`, action: 'U', status: 200 } as const;
  store.audit({ ...record, type, id: to ?? question.localId, patients, query: `${connection} ${type}/${remoteId}` });
}

interface Chosen {
  readonly stored: StoredVersion;
  /** What its record becomes by that. */
  readonly changes: readonly Change[];
}

/**
 * The one of ours whom a person named. Who was merged here meanwhile is whoever stands for them; whose record the server has
 * in use again is opened again.
 * @throws Fault unprocessable when nobody here is
 */
async function chosenOf(store: Store, { type, candidates }: AskedQuestion, to: string): Promise<Chosen> {
  const stored = await store.read(type, to);
  const isHere = stored !== undefined && stored.operation !== 'delete';
  const isBack = candidates.some(({ localId, why }) => localId === to && why === 'unmerged');
  if (isHere && isBack) {
    const closed = parseBody(stored.content);
    const resource = resourceOf(reopened(closed));
    const change = { op: 'update', resource, ifMatch: stored.versionId } as const;
    return { stored, changes: replacedBy(closed) === undefined ? [] : [change] };
  }
  const inUse = isHere && type === 'Patient' ? await inUseFor(store, stored) : stored;
  if (!isHere || !inUse) throw new Fault('unprocessable', `There is no ${type} ${to} here to link it to.`);
  return { stored: inUse, changes: [] };
}

async function linking(
  store: Store,
  { connection, type, remoteId }: AskedQuestion,
  { to, merge }: { readonly to: string; readonly merge: boolean | undefined },
  now: number,
): Promise<Statement[]> {
  const alias = await readAlias(store, connection, type, remoteId);
  const link = await readLink(store, connection, type, to);
  // The server merged the records of two of ours, and the person says that these two are one.
  if (alias?.how === 'merged' && alias.localId !== '' && alias.localId !== to && link) {
    const both = { fromLocal: alias.localId, toLocal: to, fromRemote: remoteId, toRemote: link.remoteId };
    return [decideMerge({ connection, ...both }, now)];
  }
  const holder = (await readLinksByRemote(store, connection, type, [remoteId])).get(remoteId);
  if (holder && holder.localId !== to) {
    if (!merge || type !== 'Patient') {
      const text = `It is ${type} ${holder.localId} already. If ${to} is the same, send "merge": true; if not, decide "apart".`;
      throw new Fault('unprocessable', text);
    }
    const both = { fromLocal: to, toLocal: holder.localId, fromRemote: remoteId, toRemote: remoteId };
    return [decideMerge({ connection, ...both }, now)];
  }
  const meaning = await nowMeans(store, { connection, type, localId: to, remoteId }, now);
  // A second record there of somebody who has one: it stays what it is, and means the same person.
  const isGone = link?.state === 'tombstone' && link.remoteId !== remoteId;
  if (link && !isGone && link.remoteId !== remoteId) {
    const second = { connection, type, remoteId, localId: to, replacedBy: link.remoteId, how: 'matched-manual' };
    const late = type === 'Patient' ? [startCatchUp(connection, remoteId, now)] : [];
    return [...meaning, ...saveAlias(second, now), ...late];
  }
  // Linked without a common version, so the next round merges them.
  const bare = { remoteVersion: undefined, remoteHash: undefined, baseVersion: undefined };
  const same = { connection, type, localId: to, remoteId, ...bare, baseLocal: undefined, baseRemote: undefined };
  const linked = { ...same, state: 'linked', how: 'matched-manual' } as const;
  // What refers to the one that is gone there is told of this one.
  const instead = isGone
    ? [replaceLink(link, now), ...(await markReferring(store, connection, { type, id: to }, now))]
    : [];
  return [
    forgetAlias(connection, type, remoteId),
    ...instead,
    ...meaning,
    unlessLinked(linked),
    saveLink(linked, now),
    ...(type === 'Patient' ? [startCatchUp(connection, remoteId, now)] : []),
  ];
}
