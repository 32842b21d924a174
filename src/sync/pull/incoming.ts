// What one received resource does here, once it is known who it is: an edit, something new, or a question for a person. Decides
// only; the page commits. docs/sync-spec.md#I7 docs/sync-spec.md#I14
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
import { type Link, type LinkOrigin, remoteHash, saveLink, unlessLinked } from '../identity.ts';
import { meansAnother } from '../let-go.ts';
import { type LetGo, mapsOfCopies, namesFormer } from '../let-go-terms.ts';
import { withoutLost } from '../lost-targets.ts';
import { type LinkMap, toLocalTerms } from '../mapping.ts';
import type { Meant } from '../meant.ts';
import { type Held, hold } from '../patients/held.ts';
import { isDecidedNew } from '../patients/identity-question.ts';
import { CIRCLE, isInCircle } from '../patients/in-use.ts';
import type { Sought } from '../patients/match.ts';
import { inPresentTerms, namingInUse } from '../present-terms.ts';
import { mark, release } from '../push/outbox.ts';
import { rememberUrls } from '../repoint.ts';
import { isUnanswered, reconcileDoubted } from './doubt.ts';
import { inScope } from './in-scope.ts';
import { suspect } from './suspect.ts';
import { ageOf, ageOfOurs } from './version-age.ts';

/** `held`: kept until it is known whose it is. `replaced`: the server has another record for it. `lost`: it is made there again. */
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
  | 'replaced'
  | 'lost';

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
  /** Local id of the patient it would be taken from, which is why a person is asked. */
  readonly takenFrom?: string;
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

/** As the server showed it. */
export type Shown = Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>;

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
    const takenFrom = question.paths.find(({ why }) => why === 'patient')?.ours;
    const whose = typeof takenFrom === 'string' ? { takenFrom: takenFrom.replace('Patient/', '') } : {};
    return { ...asked, ...whose, statements: [...linking, ...asked.statements, ...doubts] };
  };
  if (result.conflicts.length > 0) return ask({ paths: result.conflicts, proposed: result.merged });
  const own = parseBody(stored.content);
  const merged = await withoutLost(context, result.merged, own);
  const statements = [
    ...(match ? [unlessLinked(next)] : []),
    saveLink({ ...next, baseLocal: result.theirs }, now),
    supersede(connection.name, type, localId),
    // What waited for it to be known there goes on.
    ...(match || link?.state === 'tombstone' ? [release(connection.name, `${type}/${localId}`)] : []),
    ...unresolvedIn(merged),
    ...doubts,
    ...(result.remoteChanges || link?.state === 'tombstone' || (await namesFormer(context, maps, body, letGo))
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

/** Both copies, for a question. */
export function bodies(context: RunContext, received: Shown, stored: StoredVersion) {
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
