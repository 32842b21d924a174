// A patient record for which the server has another one: it merged them, or it took that back. Decides only; what has to move
// is done by follow-merges.ts. docs/sync-spec.md#I8

import { Fault } from '../../fault.ts';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import { type RemoteFailure, type Result, success } from '../../remote/result.ts';
import type { Statement } from '../../store/store.ts';
import { answersOtherwise } from '../answers-otherwise.ts';
import { comparable, jsonOf, parseBody } from '../body.ts';
import { supersede } from '../conflicts/conflict.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, readFormerLinks, readLinksByRemote, saveLink } from '../identity.ts';
import { nowMeans } from '../let-go.ts';
import { startCatchUp } from '../pull/to-catch-up.ts';
import { type Alias, endAlias, endLinkFor, forgetAlias, mergedInto, readAlias, saveAlias, standsFor } from './alias.ts';
import { hold, holdFor, idOfPatient, letGo } from './held.ts';
import {
  askWho,
  type Candidate,
  candidatesOf,
  dropQuestion,
  type IdentityQuestion,
  knownOthers,
  shownWhenAsked,
} from './identity-question.ts';
import { reportMerge, undoMerge } from './merge-job.ts';
import { replacementOf, survivorOf } from './survivor.ts';

const PATIENT = 'Patient';

interface Record {
  readonly remoteId: string;
  readonly body: JsonObject;
  readonly version: string | undefined;
}

/** What becomes of a record that does not stand for itself; an `Incoming` like any other. */
export interface MergedRecord {
  readonly outcome: 'echo' | 'replaced' | 'conflict' | 'held';
  readonly type: string;
  readonly remoteId: string;
  readonly remoteVersion: string | undefined;
  readonly localId?: string;
  readonly body: JsonObject;
  readonly changes: readonly [];
  readonly statements: readonly Statement[];
  readonly isHeld?: true;
  readonly why?: string;
  readonly event?: 'merged' | 'unmerged';
}

/**
 * Undefined when the record stands for itself, now as before.
 * @param link its live link
 * @throws Fault unavailable (the server has to be asked and does not answer) | unprocessable (a circle)
 */
export async function remoteMerge(
  context: RunContext,
  record: Record,
  link: Link | undefined,
): Promise<MergedRecord | undefined> {
  const { store, connection, mapping } = context;
  const reference = replacedBy(record.body);
  const target = reference === undefined ? undefined : idOfPatient(reference, mapping.remoteBase);
  const known = link ? undefined : await readAlias(store, connection.name, PATIENT, record.remoteId);
  // A person said that it is a second record of one of ours, whose own says who that is, for as long as it is there.
  const isSecond = known !== undefined && known.how !== 'merged';
  if (isSecond && (await standsFor(store, connection.name, record.remoteId))) return seen(record);
  const alias = isSecond ? undefined : known;
  if (target === undefined) {
    if (!alias) return undefined;
    const still = await isStillMerged(context, record);
    if (!still.ok) return heldUntilShown(context, record, undefined, record.remoteId, still.failure.message);
    return still.value ? seen(record) : unmerged(context, record, alias.localId);
  }
  if (alias && (alias.replacedBy === target || alias.replacedBy === (await mergedInto(store, connection.name, target))))
    return seen(record);
  if (!link && !alias && (await isAskedAbout(context, record, target)))
    return stillAsked(context, record, realNow(context));
  const merged = await mergeInto(context, record, link, target);
  if (!('failure' in merged)) return merged;
  const why = merged.failure.message;
  // Which of them is in use nobody can tell: as an edit it would close ours.
  if (merged.failure.class === 'permanent') throw new Fault('unprocessable', why, { expression: 'Patient.link' });
  return heldUntilShown(context, record, link, target, why);
}

/**
 * Nothing is decided while the server answers others, but fails to show a record. @param id of that one
 * @throws Fault unavailable when it answers nothing
 */
async function heldUntilShown(
  context: RunContext,
  record: Record,
  link: Link | undefined,
  id: string,
  why: string,
): Promise<MergedRecord> {
  const nothing = { ...seen(record), ...(link ? { localId: link.localId } : {}) };
  if (!(await answersOtherwise(context.client))) throw new Fault('unavailable', why);
  const waits = { connection: context.connection.name, type: PATIENT, remoteId: record.remoteId, body: record.body };
  const held = hold({ ...waits, waitsFor: { type: PATIENT, id } }, realNow(context));
  return { ...nothing, outcome: 'held', isHeld: true, why, statements: [held] };
}

/** Why a merge is not followed; a permanent one when the records go round in circles. */
interface Unfollowed {
  readonly failure: RemoteFailure;
}

/** The record is no longer used there; `target` stands for it. */
export async function mergeInto(
  context: RunContext,
  record: Record,
  link: Link | undefined,
  target: string,
): Promise<MergedRecord | Unfollowed> {
  const { store, connection } = context;
  const { name } = connection;
  const now = realNow(context);
  const found = await survivorOf(context, record.remoteId, target);
  if (!found.ok) return found;
  const { remoteId: survivor, isBack } = found.value;
  // By a person's word yet another record may stand for that one; this one does no more.
  const standing = isBack ? undefined : await standsFor(store, name, survivor);
  const toRemote = standing && standing.remoteId !== record.remoteId ? standing.remoteId : survivor;
  const answered = [dropQuestion(name, PATIENT, record.remoteId), letGo(name, PATIENT, record.remoteId)];
  // The other way round than before: what that one was merged into is this one, and stands for nobody any more.
  const turned = isBack ? [...endAlias(name, PATIENT, survivor), undoMerge(name, survivor)] : [];
  const statements = [...answered, holdFor(name, record.remoteId, toRemote), ...turned];
  const event = 'merged';
  const outcome = { ...seen(record), outcome: 'replaced', event } as const;
  if (!link) {
    const known = await readAlias(store, name, PATIENT, record.remoteId);
    const isMerged = known?.how === 'merged';
    // A read of what led there says something else than the search: nothing is new until one of them does.
    if (isMerged && !isBack && known.replacedBy === survivor) return seen(record);
    const isOurs = isMerged && known.localId !== '';
    if (isOurs) {
      const another = await isAnothers(context, known, toRemote);
      if (!another.ok) return another;
      if (another.value === 'old') return seen(record);
      if (another.value) return unmerged(context, record, known.localId);
    }
    const about = { connection: name, type: PATIENT, remoteId: record.remoteId };
    // It is no second record any more of whomever a person took it for.
    const before = isMerged ? [] : endAlias(name, PATIENT, record.remoteId);
    // What moves from one of ours is told by the merge of theirs.
    const meaning = standing && !isOurs ? await nowMeans(store, { ...about, localId: standing.localId }, now) : before;
    const localId = isMerged ? known.localId : ((await takenBack(store, about))[0]?.localId ?? '');
    const alias = saveAlias({ ...about, localId, how: 'merged', replacedBy: survivor }, now);
    const holder = localId === '' || isMerged ? undefined : await holderOf(store, name, toRemote);
    const both = { connection: name, fromRemote: record.remoteId, toRemote, fromLocal: localId };
    const again = holder && holder !== localId ? [reportMerge({ ...both, toLocal: holder }, now)] : [];
    return { ...outcome, statements: [...statements, ...meaning, ...alias, ...again] };
  }
  const ended = endLinkFor(link, survivor, now);
  const other = await holderOf(store, name, toRemote);
  const job = { connection: name, fromRemote: record.remoteId, toRemote, fromLocal: link.localId };
  if (other) {
    const moving = [ended, supersede(name, PATIENT, link.localId)];
    const report = reportMerge({ ...job, toLocal: other }, now);
    return { ...outcome, localId: link.localId, statements: [...statements, ...moving, report] };
  }
  const taken = await takenBack(store, { connection: name, remoteId: toRemote });
  const others = taken.filter(({ localId }) => localId !== link.localId);
  if (others.length > 0 || (await isDoubtful(context, link.localId, toRemote))) {
    const again = await askAgain(context, link.localId, others, toRemote);
    const asked = [ended, supersede(name, PATIENT, link.localId), ...again];
    return { ...outcome, outcome: 'conflict', localId: link.localId, statements: [...statements, ...asked] };
  }
  // Ours stays who it is and has another record there, which grew from the same common version.
  const moved: Link = { ...link, state: 'linked', remoteId: toRemote, remoteVersion: undefined, remoteHash: undefined };
  const settled = [supersede(name, PATIENT, link.localId), dropQuestion(name, PATIENT, toRemote)];
  const relinked = [...(await nowMeans(store, moved, now)), ended, saveLink(moved, now), ...settled];
  const report = reportMerge({ ...job, toLocal: link.localId }, now);
  // What that record has had since before ours had it.
  const rows = [...statements, ...relinked, report, startCatchUp(name, toRemote, now)];
  return { ...outcome, localId: link.localId, statements: rows };
}

/** Who of ours has a record. */
async function holderOf(store: RunContext['store'], connection: string, remoteId: string): Promise<string | undefined> {
  return (await readLinksByRemote(store, connection, PATIENT, [remoteId])).get(remoteId)?.localId;
}

/** Whose record it was when the server took its merge back, as long as no person has said who it is since. */
async function takenBack(
  store: RunContext['store'],
  { connection, remoteId }: { readonly connection: string; readonly remoteId: string },
): Promise<Candidate[]> {
  const candidates = (await candidatesOf(store, connection, PATIENT, [remoteId])).get(remoteId) ?? [];
  return candidates.filter(({ why }) => why === 'unmerged');
}

/**
 * A person had said that ours is not the one that the server has for it by now, or that ours lives on when that one was gone there:
 * somebody else may have its id.
 */
export async function isDoubtful(
  { store, connection }: RunContext,
  localId: string,
  remoteId: string,
): Promise<boolean> {
  if ((await knownOthers(store, connection.name, PATIENT, remoteId)).has(localId)) return true;
  const former = (await readFormerLinks(store, connection.name, PATIENT, [remoteId])).get(remoteId);
  return former?.localId === localId && former.how !== 'merged';
}

/** Ours has no record there until a person has said whether it is that one. @param others whom it may be as well */
export async function askAgain(
  context: RunContext,
  localId: string,
  others: readonly Candidate[],
  remoteId: string,
): Promise<Statement[]> {
  const { store, client, connection } = context;
  const now = realNow(context);
  const stored = await store.read(PATIENT, localId);
  if (!stored || stored.operation === 'delete') return [];
  const reply = await client.read(PATIENT, remoteId);
  const shown = reply.ok && reply.value.body?.id === remoteId ? jsonOf(reply.value.body) : undefined;
  const about = { connection: connection.name, type: PATIENT, remoteId };
  const question: IdentityQuestion = {
    ...about,
    remoteBody: shown ?? { resourceType: PATIENT },
    remoteVersion: undefined,
    kind: 'identity',
    candidates: [{ localId, why: 'merged', score: undefined }, ...others],
    local: comparable(parseBody(stored.content)),
    localVersion: stored.versionId,
  };
  const held = shown ? [hold({ ...about, waitsFor: { type: PATIENT, id: remoteId }, body: shown }, now)] : [];
  return [...askWho(question, now), ...held];
}

/**
 * A search that lags behind shows it as it was before; of one that is gone, or that nobody may read, what it shows is all there is.
 * A failure when the record cannot be read now.
 */
async function isStillMerged({ client }: RunContext, { remoteId }: Record): Promise<Result<boolean>> {
  const reply = await client.read(PATIENT, remoteId, { mayLead: true });
  if (!reply.ok) return reply.failure.class === 'permanent' ? success(false) : reply;
  const { body } = reply.value;
  return success(body !== undefined && (body.id !== remoteId || replacedBy(jsonOf(body)) !== undefined));
}

/**
 * The server has merged the record into another's instead, while the one that stood for it is in use as before. That is two steps in
 * one: it took its merge back. Where that one was merged as well, it is only the end of the chain. `old` when a search that lags
 * behind shows what was so before.
 */
async function isAnothers(context: RunContext, alias: Alias, target: string): Promise<Result<boolean | 'old'>> {
  const { store, connection } = context;
  const before = await standsFor(store, connection.name, alias.replacedBy);
  const now = await standsFor(store, connection.name, target);
  if (!before || before.localId === now?.localId) return success(false);
  const replaced = await replacementOf(context, before.remoteId);
  if (!replaced.ok) return replaced.failure.class === 'permanent' ? success(false) : replaced;
  if (replaced.value !== undefined) return success(false);
  const own = await replacementOf(context, alias.remoteId);
  if (!own.ok && own.failure.class !== 'permanent') return own;
  return success(own.ok && own.value === alias.replacedBy ? 'old' : true);
}

/** It is asked whose record it is since it says that. */
async function isAskedAbout(
  { store, connection, mapping }: RunContext,
  record: Record,
  target: string,
): Promise<boolean> {
  const shown = await shownWhenAsked(store, connection.name, PATIENT, record.remoteId);
  const reference = shown && replacedBy(shown);
  return reference !== undefined && idOfPatient(reference, mapping.remoteBase) === target;
}

function stillAsked({ connection }: RunContext, record: Record, now: number): MergedRecord {
  const waits = { connection: connection.name, type: PATIENT, remoteId: record.remoteId, body: record.body };
  const held = hold({ ...waits, waitsFor: { type: PATIENT, id: record.remoteId } }, now);
  return { ...seen(record), outcome: 'held', isHeld: true, statements: [held] };
}

/** What was moved stays where it is until a person has said who the record is. */
async function unmerged(context: RunContext, record: Record, localId: string): Promise<MergedRecord> {
  const { store, connection } = context;
  const { name } = connection;
  const now = realNow(context);
  const about = { connection: name, type: PATIENT, remoteId: record.remoteId };
  const again = [
    forgetAlias(name, PATIENT, record.remoteId),
    undoMerge(name, record.remoteId),
    hold({ ...about, waitsFor: { type: PATIENT, id: record.remoteId }, body: record.body }, now),
  ];
  const kept = { ...seen(record), isHeld: true, event: 'unmerged' } as const;
  const stored = localId === '' ? undefined : await store.read(PATIENT, localId);
  if (!stored || stored.operation === 'delete') return { ...kept, statements: again };
  const question = askWho(
    {
      ...about,
      remoteBody: record.body,
      remoteVersion: record.version,
      kind: 'identity',
      candidates: [{ localId, why: 'unmerged', score: undefined }],
      local: comparable(parseBody(stored.content)),
      localVersion: stored.versionId,
    },
    now,
  );
  return { ...kept, outcome: 'conflict', localId, statements: [...again, ...question] };
}

function seen({ remoteId, body, version }: Record): MergedRecord {
  return { outcome: 'echo', type: PATIENT, remoteId, remoteVersion: version, body, changes: [], statements: [] };
}
