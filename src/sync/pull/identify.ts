// Who a received resource is here: an echo of what is known, one that is linked, one of ours, nobody yet, or a question for a
// person. docs/sync-spec.md#I7 docs/sync-spec.md#I8
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { Statement } from '../../store/store.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, type LinkMark, readLinksByRemote, remoteHash, saveLink, setRemoteVersion } from '../identity.ts';
import type { Meant } from '../meant.ts';
import { readAlias } from '../patients/alias.ts';
import { hold } from '../patients/held.ts';
import { askWhoUnlinked } from '../patients/identity-question.ts';
import { findMatch, type Match } from '../patients/match.ts';
import { remoteMerge } from '../patients/remote-merge.ts';
import { isOwnProjection } from '../projections/projection-echo.ts';
import { isAnothers, planGivenOutAgain } from './given-out-again.ts';
import { bodies, type Incoming, type Received, type Shown } from './incoming.ts';
import { backFromBackup, currentCopy } from './stale-copy.ts';
import { sameMoment } from './version-age.ts';

/** True when the link already stands for this very version: our own write coming back, or the overlap. */
function isEcho(link: Link, body: JsonObject, version: string | undefined): boolean {
  if (link.state === 'tombstone') return false;
  // A restored server gives a number out again, for another content.
  const sameVersion = version !== undefined && version === link.remoteVersion && sameMoment(link.baseRemote, body);
  return sameVersion || remoteHash(body) === link.remoteHash;
}

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
  const isBack = former !== undefined && !(await isAnothers(context, former, body, true));
  const match = await findMatch(context, type, body, remoteId, isBack ? former : undefined);
  if (match.kind === 'later') return { ...nothing, outcome: 'echo' };
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
  const another = current && !isKnown ? await planGivenOutAgain(context, link, current) : undefined;
  if (another) return another;
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
