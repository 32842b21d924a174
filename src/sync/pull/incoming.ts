// What one received resource means here: an echo, an edit, something new, or a question for a person. Decides only; the
// page commits. docs/sync-spec.md#I7 docs/sync-spec.md#I14
import { randomUUID } from 'node:crypto';
import { Fault } from '../../fault.ts';
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import type { Change } from '../../fhir/change.ts';
import type { Statement, StoredVersion } from '../../store/store.ts';
import { comparable, dressed, parseBody, resourceOf } from '../body.ts';
import {
  AS_IT_IS,
  type Conflict,
  type NewConflict,
  openConflict,
  readOpenConflict,
  supersede,
} from '../conflicts/conflict.ts';
import { refusedStep } from '../conflicts/transitions.ts';
import { type RunContext, realNow, type SyncEvent } from '../context.ts';
import {
  type Link,
  type LinkMark,
  type LinkOrigin,
  readLinksByRemote,
  remoteHash,
  saveLink,
  setRemoteVersion,
  unlessLinked,
} from '../identity.ts';
import { meansAnother } from '../let-go.ts';
import { type LetGo, mapsOfCopies, namesFormer } from '../let-go-terms.ts';
import { withoutLost } from '../lost-targets.ts';
import { type LinkMap, toLocalTerms } from '../mapping.ts';
import type { Meant } from '../meant.ts';
import { readAlias } from '../patients/alias.ts';
import { type Held, hold } from '../patients/held.ts';
import { askWhoUnlinked, isDecidedNew } from '../patients/identity-question.ts';
import { CIRCLE, isInCircle } from '../patients/in-use.ts';
import { findMatch, type Match, type Sought } from '../patients/match.ts';
import { remoteMerge } from '../patients/remote-merge.ts';
import { inPresentTerms, namingInUse } from '../present-terms.ts';
import { isOwnProjection } from '../projections/projection-echo.ts';
import { mark, release } from '../push/outbox.ts';
import { rememberUrls } from '../repoint.ts';
import { isUnanswered, reconcileDoubted } from './doubt.ts';
import { inScope } from './in-scope.ts';
import { backFromBackup, currentCopy } from './stale-copy.ts';
import { suspect } from './suspect.ts';
import { ageOf, ageOfOurs, sameMoment } from './version-age.ts';

/** `held`: kept until it is known whose it is. `replaced`: the server has another record for it. */
export type IncomingOutcome =
  | 'echo'
  | 'out-of-scope'
  | 'created'
  | 'updated'
  | 'merged'
  | 'linked'
  | 'deleted'
  /** A question that is open already, or held as it was. */
  | 'waiting'
  | 'conflict'
  | 'held'
  | 'replaced';

export interface Incoming {
  readonly outcome: IncomingOutcome;
  readonly type: string;
  readonly remoteId: string;
  readonly remoteVersion: string | undefined;
  readonly localId?: string;
  /** As it was received. */
  readonly body: JsonObject;
  readonly changes: readonly Change[];
  readonly statements: readonly Statement[];
  /** Those that are for when the whole page is in, because they are about what else it may bring. */
  readonly afterwards?: readonly Statement[];
  /** It is kept until it is known whose it is. */
  readonly isHeld?: true;
  /** Why, when no person is asked. */
  readonly why?: string;
  /** It is linked with one of ours by what that one says now. */
  readonly isMatched?: true;
  /** It is made, because none of ours is like this. */
  readonly sought?: Sought | undefined;
  /** Told beside what the outcome says. */
  readonly event?: SyncEvent['kind'];
  /** What is asked of a person when the store does not let an update follow what is stored; `path` is the element. */
  readonly ifRefused?: (path: string) => Promise<Incoming>;
}

/** A received resource with who it is here; `localId` was chosen for a new one. */
export interface Received {
  readonly type: string;
  readonly remoteId: string;
  readonly body: JsonObject;
  readonly version: string | undefined;
  /** With a match: its former one. */
  readonly link: Link | undefined;
  /** Whom it meant until now, when it has no link. */
  readonly meant?: Meant | undefined;
  readonly match: { readonly stored: StoredVersion; readonly how: LinkOrigin } | undefined;
  /** When there is neither. */
  readonly sought?: Sought;
  readonly localId: string;
}

/** True when the link already stands for this very version: our own write coming back, or the overlap. */
function isEcho(link: Link, body: JsonObject, version: string | undefined): boolean {
  if (link.state === 'tombstone') return false;
  // A restored server gives a number out again, for another content.
  const sameVersion = version !== undefined && version === link.remoteVersion && sameMoment(link.baseRemote, body);
  return sameVersion || remoteHash(body) === link.remoteHash;
}

/** As the server showed it. */
type Shown = Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>;

/** An echo told by its content alone; undefined when the whole link has to be looked at. */
export function quickEcho(context: RunContext, received: Shown, mark: LinkMark): Incoming | undefined {
  const { type, remoteId, body, version } = received;
  if (mark.state === 'tombstone' || mark.state === 'conflict' || remoteHash(body) !== mark.remoteHash) return undefined;
  const { localId } = mark;
  const moved = version !== undefined && version !== mark.remoteVersion;
  const statements = moved ? [setRemoteVersion(context.connection.name, type, localId, version, realNow(context))] : [];
  return { outcome: 'echo', type, remoteId, remoteVersion: version, localId, body, changes: [], statements };
}

/** What is known of a received resource before it is looked at. */
interface Before {
  /** Its live link, if it has one. */
  readonly link: Link | undefined;
  /** The one that it had until it was let go. */
  readonly former: Link | undefined;
  /** Whom it meant, when it has none. */
  readonly meant: Meant | undefined;
  /** A person has been asked who it is. */
  readonly isAsked: boolean;
}

/** Finds out who a resource is, or why nothing is to be done about it. */
export async function identify(
  context: RunContext,
  received: Shown,
  { link, former, meant, isAsked }: Before,
): Promise<Received | Incoming> {
  const { type, remoteId, body, version } = received;
  const nothing = { type, remoteId, remoteVersion: version, body, changes: [], statements: [] };
  if (await isOwnProjection(context, received, link)) return { ...nothing, outcome: 'echo' };
  if (link) return identifyLinked(context, received, link);
  const merge = await mergeOf(context, received, undefined);
  if (merge) return merge;
  // Whatever it says by now; the newest copy is what the answer will be about.
  if (isAsked) return { ...nothing, outcome: 'waiting', statements: [holdForItself(context, received)], isHeld: true };
  if (meant?.isAlias && type !== 'Patient' && (await isSecond(context, meant))) return { ...nothing, outcome: 'echo' };
  const match = await findMatch(context, type, body, remoteId, former);
  if (match.kind === 'none') {
    return { ...received, link, meant, match: undefined, sought: match.sought, localId: randomUUID() };
  }
  if (match.kind !== 'unclear') {
    const { stored } = match;
    if (match.kind === 'former') {
      return { ...received, link: match.link, match: { stored, how: match.link.how }, localId: stored.id };
    }
    return { ...received, link, meant, match: { stored, how: ORIGINS[match.kind] }, localId: stored.id };
  }
  const now = realNow(context);
  const { name } = context.connection;
  // A push that had just made it has linked it since the links of the page were read.
  const since = (await readLinksByRemote(context.store, name, type, [remoteId])).get(remoteId);
  if (since) return identify(context, received, { link: since, former, meant, isAsked });
  const held = holdForItself(context, received);
  const about = { ...nothing, localId: match.stored.id };
  const { candidates, why: kind } = match;
  const question = { ...bodies(context, received, match.stored), kind, candidates: named(candidates) };
  return { ...about, outcome: 'conflict', statements: [...askWhoUnlinked(question, now), held], isHeld: true };
}

/** Who has it is known. Whether the server has merged the record, the copy says that it has by now. */
async function identifyLinked(context: RunContext, received: Shown, link: Link): Promise<Received | Incoming> {
  const { type, remoteId, body, version } = received;
  const { localId } = link;
  const known = { link, match: undefined, localId };
  const nothing = { type, remoteId, remoteVersion: version, localId, body, changes: [], statements: [] };
  const isKnown = isEcho(link, body, version);
  const current = isKnown ? received : await currentCopy(context, link, received);
  const isStale = current !== undefined && current !== received;
  if (isStale && isEcho(link, current.body, current.version)) return { ...nothing, outcome: 'echo' };
  const merge = await mergeOf(context, current ?? received, link);
  if (merge) return merge;
  if (!current) return { ...nothing, outcome: 'echo' };
  if (!isKnown) return { ...current, ...known };
  const moved = version !== undefined && version !== link.remoteVersion;
  // What was asked about has been taken back there.
  const isOther = moved || !sameMoment(link.baseRemote, body);
  const back = link.state === 'conflict' && (isOther ? received : await backFromBackup(context, link, received));
  if (back) return (await mergeOf(context, back, link)) ?? { ...back, ...known };
  // The same content under a new version: remembered, because the next update must name it.
  const statements = moved ? [saveLink({ ...link, remoteVersion: version }, realNow(context))] : [];
  return { ...nothing, outcome: 'echo', statements };
}

/** Undefined when the record stands for itself. */
async function mergeOf(context: RunContext, copy: Shown, link: Link | undefined): Promise<Incoming | undefined> {
  return copy.type === 'Patient' ? remoteMerge(context, copy, link) : undefined;
}

/** A person said that it is a second record of one of ours, whose own says what it is, for as long as that is there. */
async function isSecond({ store }: RunContext, { connection, type, remoteId }: Meant): Promise<boolean> {
  const alias = await readAlias(store, connection, type, remoteId);
  const [own] = alias ? (await readLinksByRemote(store, connection, type, [alias.replacedBy])).values() : [];
  return own !== undefined && own.state !== 'tombstone';
}

const ORIGINS = { ours: 'created-by-us', identifier: 'matched-identifier', rules: 'matched-rules' } as const;

const named = (candidates: Extract<Match, { kind: 'unclear' }>['candidates']) =>
  candidates.map(({ stored, why, score }) => ({ localId: stored.id, why, score }));

function holdForItself(
  context: RunContext,
  { type, remoteId, body }: Pick<Received, 'type' | 'remoteId' | 'body'>,
): Statement {
  return hold(
    { connection: context.connection.name, type, remoteId, waitsFor: { type, id: remoteId }, body },
    realNow(context),
  );
}

/** Keeps it as it came. @param waitsFor the remote record that nobody knows yet */
export function holdBack(context: RunContext, one: Received, waitsFor: Held['waitsFor']): Incoming {
  const { type, remoteId, body, version } = one;
  const statements = [hold({ connection: context.connection.name, type, remoteId, waitsFor, body }, realNow(context))];
  return { outcome: 'held', type, remoteId, remoteVersion: version, body, changes: [], statements, isHeld: true };
}

/** Plans what a resource that is no echo does here. @throws Fault unavailable when the server has to be asked and does not answer */
export async function plan(context: RunContext, received: Received, links: LinkMap, letGo: LetGo): Promise<Incoming> {
  const { store, connection, mapping } = context;
  const { type, remoteId, body, version, link, meant, match, localId, sought } = received;
  const known = await mapsOfCopies(context, links, link, body, letGo);
  if (!known.ok) {
    const why = known.failure.message;
    if (!known.isAlone) throw new Fault('unavailable', why);
    return { ...holdBack(context, received, known.about), why };
  }
  const maps = known.value;
  const isMatched = match ? ({ isMatched: true } as const) : {};
  const [remote] = await namingInUse(store, [toLocalTerms(mapping, maps.now, body).body] as const);
  const now = realNow(context);
  const afterwards = await meansAnother(store, meant, localId, now);
  const incoming = { type, remoteId, remoteVersion: version, localId, body, afterwards, ...isMatched };
  const unresolvedIn = (written: JsonObject) => rememberUrls(context, written, type, localId);
  const next: Link = {
    connection: connection.name,
    type,
    localId,
    remoteId,
    remoteVersion: version,
    remoteHash: remoteHash(body),
    baseVersion: undefined,
    baseLocal: remote,
    baseRemote: body,
    state: 'linked',
    how: link?.how ?? match?.how ?? 'created-by-them',
  };
  const stored = match?.stored ?? (link && (await store.read(type, localId)));
  if (!stored) {
    const wanted = inScope(context, received, remote) || (await isDecidedNew(store, connection.name, type, remoteId));
    if (link || !wanted) {
      return { ...incoming, outcome: 'out-of-scope', changes: [], statements: [], afterwards: [] };
    }
    // The narrative is the remote's own words for exactly this content.
    const narrative = body.text ? { text: body.text } : {};
    const fresh = await withoutLost(context, remote, undefined);
    const resource = resourceOf({ ...dressed(fresh, localId, undefined), ...narrative });
    const changes: Change[] = [{ op: 'create', resource, id: localId }];
    const statements = [saveLink(next, now), ...unresolvedIn(fresh)];
    return { ...incoming, outcome: 'created', sought, changes, statements };
  }
  if (stored.operation === 'delete') {
    const conflict = {
      ...bodies(context, received, stored),
      kind: 'deleted',
      base: link?.baseLocal,
      remote,
      ...AS_IT_IS,
    } as const;
    return conflictUnlessOpen(context, incoming, { ...conflict, proposed: undefined, paths: [] });
  }
  const common = link?.baseRemote ? toLocalTerms(mapping, maps.base, link.baseRemote).body : { resourceType: type };
  const [origin] = await namingInUse(store, [common] as const);
  const kept = [link?.baseLocal ?? origin, comparable(parseBody(stored.content))] as const;
  const [baseLocal, local] = await inPresentTerms(context, kept, links);
  const copies = { baseLocal, baseRemote: origin, local, remote };
  const unheardOf = match?.how === 'created-by-us' ? ageOfOurs(version) : 'newer';
  const age = link ? await ageOf(store, link, body, version) : unheardOf;
  // A server that went back in time: the next pull looks at that before anything else.
  const doubts = age === 'newer' || !link?.baseRemote ? [] : [suspect(context, link)];
  const result = await reconcileDoubted(
    store,
    async () => (await isUnanswered(context, stored)) || ((await openOf(context, link))?.isDoubted ?? false),
    stored,
    copies,
    context.policies[type] ?? {},
    age,
  );
  const ask = async (question: Pick<NewConflict, 'paths' | 'proposed'>): Promise<Incoming> => {
    const asked = await conflictUnlessOpen(context, incoming, {
      ...bodies(context, received, stored),
      kind: 'content',
      base: baseLocal,
      remote: result.theirs,
      ...{ ...question, age, isDoubted: result.isDoubted },
    });
    // A resource matched just now needs its link, so that others can refer to it while the question is open.
    const nothing = { remoteVersion: undefined, remoteHash: undefined, baseLocal: undefined, baseRemote: undefined };
    const bare = link ?? { ...next, ...nothing };
    const linking = match ? [unlessLinked(next), saveLink({ ...bare, state: 'conflict' }, now)] : [];
    return { ...asked, statements: [...linking, ...asked.statements, ...doubts] };
  };
  if (result.conflicts.length > 0) return ask({ paths: result.conflicts, proposed: result.merged });
  const own = parseBody(stored.content);
  const merged = await withoutLost(context, result.merged, own);
  const statements = [
    ...(match ? [unlessLinked(next)] : []),
    saveLink({ ...next, baseLocal: result.theirs }, now),
    supersede(connection.name, type, localId),
    // What waited for it to be known there goes on.
    ...(match ? [release(connection.name, `${type}/${localId}`)] : []),
    ...unresolvedIn(merged),
    ...doubts,
    ...(result.remoteChanges || (await namesFormer(context, maps, body, letGo))
      ? [mark(connection.name, type, localId, stored.sequence, now)]
      : []),
  ];
  if (!result.localChanges) return { ...incoming, outcome: match ? 'linked' : 'echo', changes: [], statements };
  if (await isInCircle(store, localId, merged))
    throw new Fault('unprocessable', CIRCLE, { expression: 'Patient.link' });
  const resource = resourceOf(dressed(merged, localId, own));
  const forward = sameJson(local, baseLocal);
  const changes: Change[] = [{ op: 'update', resource, ifMatch: stored.versionId }];
  const sides = { base: baseLocal, ours: local, theirs: result.theirs, merged: result.merged };
  const ifRefused = (path: string) => ask(refusedStep(path, sides));
  return { ...incoming, outcome: forward ? 'updated' : 'merged', changes, statements, ifRefused };
}

function bodies(context: RunContext, received: Shown, stored: StoredVersion) {
  return {
    connection: context.connection.name,
    type: received.type,
    localId: stored.id,
    remoteId: received.remoteId,
    local: stored.content === '' ? undefined : comparable(parseBody(stored.content)),
    localVersion: stored.versionId,
    remoteBody: received.body,
    remoteVersion: received.version,
  };
}

/** The question that is open about a linked resource. While it is, the link keeps the common version from before it. */
async function openOf({ store }: RunContext, link: Link | undefined): Promise<Conflict | undefined> {
  if (link?.state !== 'conflict') return undefined;
  return readOpenConflict(store, link.connection, link.type, link.localId);
}

/** The same question is not asked again each time the overlap shows the resource. */
async function conflictUnlessOpen(
  context: RunContext,
  incoming: Omit<Incoming, 'outcome' | 'changes' | 'statements'>,
  conflict: NewConflict,
): Promise<Incoming> {
  const { connection, store } = context;
  const open = await readOpenConflict(store, connection.name, conflict.type, conflict.localId);
  if (open && asksTheSame(open, conflict)) return { ...incoming, outcome: 'waiting', changes: [], statements: [] };
  return { ...incoming, outcome: 'conflict', changes: [], statements: questions(context, conflict) };
}

/** A server without versions, or one that was restored, may show other words under the same version. */
function asksTheSame(open: Conflict, { remoteVersion, localVersion, remoteBody }: NewConflict): boolean {
  if (open.remoteVersion !== remoteVersion || open.localVersion !== localVersion) return false;
  return (
    open.remoteBody !== undefined && remoteBody !== undefined && remoteHash(open.remoteBody) === remoteHash(remoteBody)
  );
}

function questions(context: RunContext, conflict: NewConflict): Statement[] {
  return openConflict(conflict, realNow(context));
}
