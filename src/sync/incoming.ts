// What one received resource means here: an echo, an edit, something new, or a question for a person. Decides only; the
// page commits. docs/sync-spec.md#I7 docs/sync-spec.md#I14
import { randomUUID } from 'node:crypto';
import { type JsonObject, sameJson } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import type { Statement, StoredVersion } from '../store/store.ts';
import { comparable, dressed, parseBody, resourceOf } from './body.ts';
import { ageOf, ageOfOurs, reconcileAged, sameMoment } from './common-version.ts';
import { type NewConflict, openConflict, readOpenConflict, supersede } from './conflict.ts';
import { type RunContext, realNow } from './context.ts';
import { type Link, type LinkOrigin, remoteHash, saveLink } from './identity.ts';
import { type LinkMap, toLocalTerms } from './mapping.ts';
import { findMatch } from './match.ts';
import { mark } from './outbox.ts';
import { patientOf } from './patient-reference.ts';
import { currentCopy } from './stale-copy.ts';

export type IncomingOutcome = 'echo' | 'out-of-scope' | 'created' | 'updated' | 'merged' | 'linked' | 'conflict';

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
}

/** A received resource with who it is here; `localId` was chosen for a new one. */
export interface Received {
  readonly type: string;
  readonly remoteId: string;
  readonly body: JsonObject;
  readonly version: string | undefined;
  readonly link: Link | undefined;
  readonly match: { readonly stored: StoredVersion; readonly how: LinkOrigin } | undefined;
  readonly localId: string;
}

/** True when the link already stands for this very version: our own write coming back, or the overlap. */
function isEcho(link: Link, body: JsonObject, version: string | undefined): boolean {
  if (link.state === 'tombstone') return false;
  // A restored server gives a number out again, for another content.
  const sameVersion = version !== undefined && version === link.remoteVersion && sameMoment(link.baseRemote, body);
  return sameVersion || remoteHash(body) === link.remoteHash;
}

/**
 * Finds out who a resource is, or why nothing is to be done about it.
 * @param link its live link, if it has one
 */
export async function identify(
  context: RunContext,
  received: Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>,
  link: Link | undefined,
): Promise<Received | Incoming> {
  const { type, remoteId, body, version } = received;
  const nothing = { type, remoteId, remoteVersion: version, body, changes: [], statements: [] };
  if (link) {
    if (!isEcho(link, body, version)) {
      const current = await currentCopy(context, link, received);
      if (!current || (current !== received && isEcho(link, current.body, current.version)))
        return { ...nothing, outcome: 'echo', localId: link.localId };
      return { ...current, link, match: undefined, localId: link.localId };
    }
    // The same content under a new version: remembered, because the next update must name it.
    const moved = version !== undefined && version !== link.remoteVersion;
    const statements = moved ? [saveLink({ ...link, remoteVersion: version }, realNow(context))] : [];
    return { ...nothing, outcome: 'echo', localId: link.localId, statements };
  }
  const match = await findMatch(context, type, body);
  if (match.kind === 'none') return { ...received, link, match: undefined, localId: randomUUID() };
  if (match.kind !== 'unclear') {
    const how = match.kind === 'ours' ? 'created-by-us' : 'matched-identifier';
    return { ...received, link, match: { stored: match.stored, how }, localId: match.stored.id };
  }
  const open = await readOpenConflict(context.store, context.connection.name, type, match.stored.id);
  if (open) return { ...nothing, outcome: 'echo', localId: match.stored.id };
  const conflict: NewConflict = {
    ...bodies(context, received, match.stored),
    kind: match.why,
    base: undefined,
    remote: undefined,
    proposed: undefined,
    paths: [],
  };
  return { ...nothing, outcome: 'conflict', localId: match.stored.id, statements: questions(context, conflict) };
}

/** Plans what a resource that is no echo does here. */
export async function plan(context: RunContext, received: Received, map: LinkMap): Promise<Incoming> {
  const { store, connection, mapping } = context;
  const { type, remoteId, body, version, link, match, localId } = received;
  const incoming = { type, remoteId, remoteVersion: version, localId, body };
  const mapped = toLocalTerms(mapping, map, body);
  const now = realNow(context);
  const unresolved = mapped.missing.map((target) => rememberUnresolved(connection.name, target, type, localId));
  const next: Link = {
    connection: connection.name,
    type,
    localId,
    remoteId,
    remoteVersion: version,
    remoteHash: remoteHash(body),
    baseVersion: undefined,
    baseLocal: mapped.body,
    baseRemote: body,
    state: 'linked',
    how: link?.how ?? match?.how ?? 'created-by-them',
  };
  const stored = match?.stored ?? (link && (await store.read(type, localId)));
  if (!stored) {
    if (link || !inScope(context, type, mapped.body)) {
      return { ...incoming, outcome: 'out-of-scope', changes: [], statements: [] };
    }
    // The narrative is the remote's own words for exactly this content.
    const narrative = body.text ? { text: body.text } : {};
    const resource = resourceOf({ ...dressed(mapped.body, localId, undefined), ...narrative });
    const changes: Change[] = [{ op: 'create', resource, id: localId }];
    return { ...incoming, outcome: 'created', changes, statements: [saveLink(next, now), ...unresolved] };
  }
  if (stored.operation === 'delete') {
    const conflict = {
      ...bodies(context, received, stored),
      kind: 'deleted',
      base: link?.baseLocal,
      remote: mapped.body,
    } as const;
    return conflictUnlessOpen(context, incoming, { ...conflict, proposed: undefined, paths: [] });
  }
  const local = comparable(parseBody(stored.content));
  const origin = link?.baseRemote ? toLocalTerms(mapping, map, link.baseRemote).body : { resourceType: type };
  const baseLocal = link?.baseLocal ?? origin;
  const copies = { baseLocal, baseRemote: origin, local, remote: mapped.body };
  const unheardOf = match?.how === 'created-by-us' ? ageOfOurs(version) : 'newer';
  const result = reconcileAged(copies, context.policies[type] ?? {}, link ? ageOf(link, body, version) : unheardOf);
  if (result.conflicts.length > 0) {
    const asked = await conflictUnlessOpen(context, incoming, {
      ...bodies(context, received, stored),
      kind: 'content',
      base: baseLocal,
      remote: result.theirs,
      proposed: result.merged,
      paths: result.conflicts,
    });
    // A resource matched just now needs its link, so that others can refer to it while the question is open.
    const bare = {
      ...next,
      remoteVersion: undefined,
      remoteHash: undefined,
      baseLocal: undefined,
      baseRemote: undefined,
    };
    const linking = match ? [saveLink({ ...bare, state: 'conflict' }, now)] : [];
    return { ...asked, statements: [...linking, ...asked.statements] };
  }
  const statements = [
    saveLink({ ...next, baseLocal: result.theirs }, now),
    supersede(connection.name, type, localId),
    ...unresolved,
    ...(result.remoteChanges ? [mark(connection.name, type, localId, stored.sequence, now)] : []),
  ];
  if (!result.localChanges) return { ...incoming, outcome: match ? 'linked' : 'echo', changes: [], statements };
  const resource = resourceOf(dressed(result.merged, localId, parseBody(stored.content)));
  const forward = sameJson(local, baseLocal);
  const changes: Change[] = [{ op: 'update', resource, ifMatch: stored.versionId }];
  return { ...incoming, outcome: forward ? 'updated' : 'merged', changes, statements };
}

/** New resources come in for patients we share, or where the type is only ever pulled. */
function inScope({ connection }: RunContext, type: string, body: JsonObject): boolean {
  if (connection.types[type] === 'pull') return true;
  return patientOf(body)?.startsWith('Patient/') ?? false;
}

function bodies(
  context: RunContext,
  received: Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>,
  stored: StoredVersion,
) {
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

/** The same question is not asked again each time the overlap shows the resource. */
async function conflictUnlessOpen(
  context: RunContext,
  incoming: Omit<Incoming, 'outcome' | 'changes' | 'statements'>,
  conflict: NewConflict,
): Promise<Incoming> {
  const { connection, store } = context;
  const open = await readOpenConflict(store, connection.name, conflict.type, conflict.localId);
  const same = open?.remoteVersion === conflict.remoteVersion && open?.localVersion === conflict.localVersion;
  if (open && same) return { ...incoming, outcome: 'echo', changes: [], statements: [] };
  return { ...incoming, outcome: 'conflict', changes: [], statements: questions(context, conflict) };
}

function questions(context: RunContext, conflict: NewConflict): Statement[] {
  return openConflict(conflict, realNow(context));
}

function rememberUnresolved(connection: string, target: string, type: string, localId: string): Statement {
  const sql = `INSERT INTO unresolved_reference (connection, target, type, local_id) VALUES (?, ?, ?, ?)
    ON CONFLICT (connection, target, type, local_id) DO NOTHING`;
  return { sql, params: [connection, target, type, localId] };
}
