// A person's decision about a conflict: what both copies become from here on. docs/sync-spec.md#I10
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { Change } from '../../fhir/change.ts';
import { refuseStep } from '../../fhir/status/step.ts';
import type { Actor, Statement, StoredVersion } from '../../store/store.ts';
import { dressed, jsonOf, parseBody, resourceOf } from '../body.ts';
import { pushes } from '../connections/settings.ts';
import type { ConnectionContext, MappedContext } from '../context.ts';
import { type Link, readLink, remoteHash, replaceLink, saveLink } from '../identity.ts';
import { markReferring, markStoodFor, meaningOthers } from '../let-go.ts';
import { withoutLost } from '../lost-targets.ts';
import { CIRCLE, isInCircle } from '../patients/in-use.ts';
import { mark } from '../push/outbox.ts';
import { rememberUrls } from '../repoint.ts';
import { asksWho, type Conflict, closeConflict } from './conflict.ts';

/** `ours` keeps the local copy, `theirs` takes the remote's, `proposed` the merge, `edited` a body of the person's own. */
export type Resolution =
  | { readonly take: 'ours' | 'theirs' | 'proposed' }
  | { readonly take: 'edited'; readonly body: JsonObject };

/** What a decision does, before it is done. */
export interface PlannedResolution {
  readonly conflict: Conflict;
  /** The local copy as it is; undefined when there is none or it is deleted. */
  readonly current: StoredVersion | undefined;
  /** The local version to write, complete; undefined when the copy stays as it is. */
  readonly resource: (Resource & { id: string }) | undefined;
  /** The link afterwards; `replaced` is let go, so that the next exchange makes a new counterpart. */
  readonly link: Link | undefined;
  readonly changes: readonly Change[];
  readonly statements: readonly Statement[];
}

/**
 * Plans the decision: the new local version, the common version moved to what the remote had, and the mark that lets the
 * resource be sent again. Writes nothing.
 * @param conflict an open one, as it stands now (present-conflict.ts)
 * @param now epoch milliseconds of the machine's clock
 * @throws Fault precondition (edited here since) | unprocessable
 */
export async function planResolution(
  context: MappedContext & Pick<ConnectionContext, 'policies'>,
  actor: Actor,
  conflict: Conflict,
  resolution: Resolution,
  now: number,
): Promise<PlannedResolution> {
  const { store } = context;
  const { id, connection, type, localId } = conflict;
  const newest = await store.read(type, localId);
  const current = newest?.operation === 'delete' ? undefined : newest;
  if (asksWho(conflict)) {
    const link = await readLink(store, connection, type, localId);
    return { conflict, current, resource: undefined, link, changes: [], statements: [] };
  }
  const link = await readLink(store, connection, type, localId);
  const closing = closeConflict(id, resolution.take, actor.reference, now);
  const sending = mark(connection, type, localId, newest?.sequence ?? 0, now);
  const body = chosenBody(conflict, resolution);
  const changes: Change[] = [];
  const own = current && parseBody(current.content);
  if (resolution.take === 'edited') requireSame(resolution.body, conflict);
  // What a person wrote is refused with a sentence instead.
  const writable = body && resolution.take !== 'edited' ? await withoutLost(context, body, own) : body;
  if (writable && (await isInCircle(store, localId, writable)))
    throw new Fault('unprocessable', CIRCLE, { expression: 'Patient.link' });
  const resource = writable && resourceOf(dressed(writable, localId, own));
  if (resolution.take === 'edited' && own && body) requireReach(own, body, conflict.remote);
  if (resource) {
    const version = own && conflict.localVersion !== undefined ? { ifMatch: conflict.localVersion } : {};
    if (current && conflict.localVersion !== undefined && conflict.localVersion !== current.versionId) {
      throw editedSince(conflict);
    }
    changes.push({ op: 'update', resource, ...version });
  }
  // The question may be older than who is meant by what theirs names.
  const { remote, remoteBody } = conflict;
  const seen = remote && remoteBody ? await meaningOthers(context, remote, remoteBody) : remote;
  const travels = pushes(context.connection, type) && context.policies[type]?.delete === 'push';
  const linked = linking({ ...conflict, remote: seen }, resolution, link, travels, now);
  // Over there they refer to what is gone.
  const isLetGo = linked.link?.state === 'replaced';
  const referring = isLetGo ? await markReferring(store, connection, { type, id: localId }, now) : [];
  const stoodFor = linked.link && isLetGo ? await markStoodFor(store, linked.link, now) : [];
  // Theirs may name what is not known here yet.
  const unresolved = resource ? rememberUrls(context, jsonOf(resource), type, localId) : [];
  const statements = [closing, ...linked.rows, sending, ...referring, ...stoodFor, ...unresolved];
  return { conflict, current, resource, link: linked.link, changes, statements };
}

export function editedSince({ type, localId }: Conflict): Fault {
  return new Fault('precondition', `${type}/${localId} was edited since the conflict; take ours, or look again.`);
}

/** What a person wrote takes the place of this resource and of no other. @throws Fault unprocessable */
function requireSame({ resourceType, id = '' }: JsonObject, { type, localId }: Conflict): void {
  if (resourceType !== type) {
    const expression = 'body.resourceType';
    throw new Fault('unprocessable', `The body must be the ${type} that the conflict is about.`, { expression });
  }
  if (id === '' || id === localId) return;
  throw new Fault('unprocessable', `The body must have the id ${localId}, or none.`, { expression: 'body.id' });
}

/** A status that neither copy has must be one that ours may go to. @throws Fault unprocessable */
function requireReach(own: JsonObject, edited: JsonObject, remote: JsonObject | undefined): void {
  const refusal = refuseStep(resourceOf(own), resourceOf(edited), { parties: 'any', mayLeap: true });
  if (!refusal || (remote && !refuseStep(resourceOf(remote), resourceOf(edited), { parties: 'any', mayLeap: true })))
    return;
  throw new Fault('unprocessable', refusal.sentence, { expression: refusal.expression, code: 'business-rule' });
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

interface Linking {
  readonly link: Link | undefined;
  readonly rows: readonly Statement[];
}

/** What the link becomes. @param travels deletes of the type go there */
function linking(
  conflict: Conflict,
  resolution: Resolution,
  link: Link | undefined,
  travels: boolean,
  now: number,
): Linking {
  const ours = resolution.take === 'ours';
  const saved = (next: Link): Linking => ({ link: next, rows: [saveLink(next, now)] });
  switch (conflict.kind) {
    case 'content':
      return link ? saved(seenByBoth(conflict, link)) : { link, rows: [] };
    case 'deleted':
      if (!link) return { link, rows: [] };
      if (deletedHere(conflict))
        return saved(ours && !travels ? { ...link, state: 'tombstone' } : seenByBoth(conflict, link));
      // Ours lives on, perhaps in a person's words: the dead counterpart is let go, and the next push makes a new one.
      return ours || resolution.take === 'edited'
        ? { link: { ...link, state: 'replaced' }, rows: [replaceLink(link, now)] }
        : saved({ ...link, state: 'tombstone' });
    default:
      return { link, rows: [] };
  }
}

/** The remote's state at the conflict is what both sides now know; what was chosen is a change on top of it. */
function seenByBoth({ remote, remoteBody, remoteVersion }: Conflict, link: Link): Link {
  if (!remote || !remoteBody) return { ...link, state: 'linked' };
  const seen = { remoteVersion, remoteHash: remoteHash(remoteBody), baseLocal: remote, baseRemote: remoteBody };
  return { ...link, ...seen, state: 'linked' };
}
