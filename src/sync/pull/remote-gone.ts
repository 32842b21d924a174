// What it means here that a resource is gone there for certain. An untouched copy of ours stays, with the status that the
// policy names; an edited one is a question for a person. docs/sync-spec.md#I21
import { type Json, type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import type { Change } from '../../fhir/change.ts';
import type { StoredVersion } from '../../store/store.ts';
import { comparable, dressed, parseBody, resourceOf } from '../body.ts';
import { AS_IT_IS, openConflict, readOpenConflict } from '../conflicts/conflict.ts';
import { mayBecome } from '../conflicts/transitions.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, saveLink } from '../identity.ts';
import type { Incoming } from './incoming.ts';

/** Plans the end of a link; writes nothing. */
export async function planGone(context: RunContext, link: Link): Promise<Incoming> {
  const { store, policies } = context;
  const { type, localId } = link;
  const nothing = nothingOf(link);
  if (link.state === 'tombstone') return nothing;
  const now = realNow(context);
  const stored = await store.read(type, localId);
  if (!stored || stored.operation === 'delete') {
    return { ...nothing, outcome: 'deleted', statements: [saveLink({ ...link, state: 'tombstone' }, now)] };
  }
  const local = comparable(parseBody(stored.content));
  if (link.state === 'conflict' || !link.baseLocal || !sameJson(local, link.baseLocal)) {
    return askWhetherGone(context, link, stored);
  }
  // Both common bodies get the status, too: should the resource come back, its status there is then an edit of theirs.
  const marks = policies[type]?.gone ?? {};
  const withMarks = (body: JsonObject): JsonObject => ({ ...body, ...(marks as Record<string, Json>) });
  const whole = parseBody(stored.content);
  // What has ended here otherwise stays as it ended.
  const marked = mayBecome(whole, withMarks(whole)) ? withMarks(local) : local;
  const bases =
    marked === local ? {} : { baseLocal: marked, baseRemote: link.baseRemote && withMarks(link.baseRemote) };
  const statements = [saveLink({ ...link, ...bases, state: 'tombstone' }, now)];
  const resource = resourceOf(dressed(marked, localId, whole));
  const changes: Change[] = sameJson(marked, local) ? [] : [{ op: 'update', resource, ifMatch: stored.versionId }];
  return { ...nothing, outcome: 'deleted', changes, statements };
}

/**
 * A question for a person, unless it is asked already.
 * @param isLost nobody there has taken back what both had changed and was asked about: their words are kept
 */
export async function askWhetherGone(
  context: RunContext,
  link: Link,
  stored: StoredVersion,
  isLost = false,
): Promise<Incoming> {
  const { connection, type, localId, remoteId } = link;
  const open = await readOpenConflict(context.store, connection, type, localId);
  if (open?.kind === 'deleted' && open.localVersion === stored.versionId) return nothingOf(link);
  const local = comparable(parseBody(stored.content));
  const words = isLost && open?.remote ? { remote: open.remote, remoteBody: open.remoteBody } : {};
  const conflict = {
    ...{ connection, type, localId, remoteId, kind: 'deleted' as const, base: link.baseLocal, local },
    ...{ localVersion: stored.versionId, remote: undefined, remoteBody: link.baseRemote, proposed: undefined },
    ...{ remoteVersion: link.remoteVersion, paths: [], ...AS_IT_IS, ...words },
  };
  return { ...nothingOf(link), outcome: 'conflict', statements: openConflict(conflict, realNow(context)) };
}

/** What becomes of a link about which nothing changes. */
export function nothingOf({ type, localId, remoteId, remoteVersion, baseRemote }: Link): Incoming {
  const body = baseRemote ?? { resourceType: type };
  return { type, localId, remoteId, remoteVersion, body, outcome: 'echo', changes: [], statements: [] };
}
