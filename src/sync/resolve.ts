// A person's decision about a conflict: what both copies become from here on. docs/sync-spec.md#I10
import { Fault } from '../fault.ts';
import type { JsonObject } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import type { Actor, Statement, Store } from '../store/store.ts';
import { dressed, parseBody, resourceOf } from './body.ts';
import { type Conflict, closeConflict, readConflict } from './conflict.ts';
import { decideMatch, type MatchDecision } from './decide-match.ts';
import { type Link, readLink, remoteHash, replaceLink, saveLink } from './identity.ts';
import { mark } from './outbox.ts';

/** `ours` keeps the local copy, `theirs` takes the remote's, `proposed` the merge, `edited` a body of the person's own. */
export type Resolution =
  | { readonly take: 'ours' | 'theirs' | 'proposed' }
  | { readonly take: 'edited'; readonly body: JsonObject };

/**
 * Writes the new local version as `actor` (so it is audited), moves the common version to what the remote had, and lets
 * the resource be sent again.
 * @param now epoch milliseconds of the machine's clock
 * @throws Fault not-found | conflict (already closed) | precondition (edited here since) | invalid | unprocessable
 */
export async function resolveConflict(
  store: Store,
  actor: Actor,
  id: string,
  resolution: Resolution,
  now: number,
): Promise<void> {
  const conflict = await readConflict(store, id);
  if (!conflict) throw new Fault('not-found', `There is no conflict ${id}.`);
  if (conflict.state !== 'open') throw new Fault('conflict', `Conflict ${id} is ${conflict.state} already.`);
  const { connection, type, localId } = conflict;
  if (conflict.kind === 'identity' || conflict.kind === 'duplicate') {
    if (resolution.take === 'edited')
      throw new Fault('unprocessable', 'The question is who it is: take theirs or ours.');
    const decision = resolution.take === 'theirs' ? { decision: 'link', to: localId } : { decision: 'apart' };
    return decideMatch(store, actor, id, decision as MatchDecision, now);
  }
  const current = await store.read(type, localId);
  const link = await readLink(store, connection, type, localId);
  const closing = closeConflict(id, resolution.take, actor.reference, now);
  const sending = mark(connection, type, localId, current?.sequence ?? 0, now);
  const body = chosenBody(conflict, resolution);
  const changes: Change[] = [];
  if (body) {
    const own = current && current.operation !== 'delete' ? parseBody(current.content) : undefined;
    const version = own && conflict.localVersion !== undefined ? { ifMatch: conflict.localVersion } : {};
    changes.push({ op: 'update', resource: resourceOf(dressed(body, localId, own)), ...version });
  }
  await store.commit(actor, changes, [closing, ...linking(conflict, resolution, link, now), sending]);
}

/** The local version to write; undefined when the local copy stays as it is. */
function chosenBody(conflict: Conflict, resolution: Resolution): JsonObject | undefined {
  const { kind, id } = conflict;
  if (resolution.take === 'edited') return resolution.body;
  if (resolution.take === 'ours') return undefined;
  if (kind === 'deleted' && !deletedHere(conflict)) return undefined;
  const body = resolution.take === 'theirs' ? conflict.remote : conflict.proposed;
  if (body) return body;
  throw new Fault('unprocessable', `Conflict ${id} has no such side; take ours, or give an edited body.`);
}

function deletedHere(conflict: Conflict): boolean {
  return conflict.kind === 'deleted' && conflict.local === undefined;
}

/** What the link becomes. */
function linking(conflict: Conflict, resolution: Resolution, link: Link | undefined, now: number): Statement[] {
  const ours = resolution.take === 'ours';
  switch (conflict.kind) {
    case 'content':
      return link ? [saveLink(seenByBoth(conflict, link), now)] : [];
    case 'deleted':
      if (!link) return [];
      if (deletedHere(conflict))
        return [saveLink(ours ? { ...link, state: 'tombstone' } : seenByBoth(conflict, link), now)];
      // Ours lives on: the dead counterpart is let go, and the next push makes a new one.
      return [ours ? replaceLink(link, now) : saveLink({ ...link, state: 'tombstone' }, now)];
    default:
      return [];
  }
}

/** The remote's state at the conflict is what both sides now know; what was chosen is a change on top of it. */
function seenByBoth({ remote, remoteBody, remoteVersion }: Conflict, link: Link): Link {
  if (!remote || !remoteBody) return { ...link, state: 'linked' };
  const seen = { remoteVersion, remoteHash: remoteHash(remoteBody), baseLocal: remote, baseRemote: remoteBody };
  return { ...link, ...seen, state: 'linked' };
}
