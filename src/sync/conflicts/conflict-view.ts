// A conflict as a person looks at it: both sides, the proposal, and element by element who changed what, which policy decided
// and why it could not. docs/sync-spec.md#I10
import { Fault } from '../../fault.ts';
import { hashJson, type JsonObject } from '../../fhir/canonical-json.ts';
import type { Store } from '../../store/store.ts';
import { comparable } from '../body.ts';
import type { MappedContext } from '../context.ts';
import { readLinkMap } from '../link-map.ts';
import { remoteTargets, toLocalTerms } from '../mapping.ts';
import { type Conflict, readConflict } from './conflict.ts';
import { type ElementView, explainMerge } from './element-view.ts';
import type { Policies } from './policies.ts';
import { presentConflict } from './present-conflict.ts';

export interface ConflictView extends Conflict {
  /** For `If-Match` of the decision: another one once the conflict or our copy has changed. */
  readonly tag: string;
  readonly elements: readonly ElementView[];
}

type Context = MappedContext & { readonly policies: Policies };

/** @throws Fault not-found */
export async function viewConflict(context: Context, id: string): Promise<ConflictView> {
  const conflict = await presentConflict(context, await requireConflict(context, id));
  const theirs = conflict.remote ?? (await inLocalTerms(context, conflict.remoteBody));
  const { base, local: ours, proposed, paths } = conflict;
  const copies = { base, ours, theirs, proposed };
  const elements = explainMerge(context.policies[conflict.type], copies, paths);
  return { ...conflict, remote: theirs, elements, tag: await conflictTag(context, conflict) };
}

/** As it was kept: of a connection that is no more, so that nothing can be said of how things stand now. */
export async function viewKeptConflict(store: Store, conflict: Conflict): Promise<ConflictView> {
  return { ...conflict, elements: [], tag: await conflictTag({ store }, conflict) };
}

export async function requireConflict({ store }: Pick<Context, 'store'>, id: string): Promise<Conflict> {
  const conflict = await readConflict(store, id);
  if (!conflict) throw new Fault('not-found', `There is no conflict ${id}.`);
  return conflict;
}

/**
 * What the person saw: the conflict in its state, our copy in its version, and what would be taken.
 * @param conflict as it stands now
 */
export async function conflictTag({ store }: Pick<Context, 'store'>, conflict: Conflict): Promise<string> {
  const { id, state, type, localId, remote = null, proposed = null } = conflict;
  const current = await store.read(type, localId);
  return hashJson([id, state, current?.versionId ?? null, remote, proposed]).slice(0, 16);
}

/** Whether two resources are one is asked before there is a link, so the remote's body was never put into our terms. */
async function inLocalTerms(context: MappedContext, body: JsonObject | undefined): Promise<JsonObject | undefined> {
  if (!body) return undefined;
  const { store, connection, mapping } = context;
  const map = await readLinkMap(store, connection.name, [], remoteTargets(mapping, body));
  return comparable(toLocalTerms(mapping, map, body).body);
}
