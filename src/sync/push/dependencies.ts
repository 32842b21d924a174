// In which order resources must be created: what is referred to first. Only references without a counterpart make an
// order; everything else is free to go. docs/sync-spec.md#I15
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { collectReferences, parseLiteral } from '../../fhir/references.ts';
import { parseBody, resourceOf } from '../body.ts';
import { pushes } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { readLink } from '../identity.ts';
import { readLinkMap } from '../link-map.ts';
import { mapReferences, ownIdentifierOf } from '../mapping.ts';
import { inUseAmong } from '../patients/in-use.ts';
import { unseenPatientOf } from '../patients/patient-unseen.ts';
import { isLookedFor } from './looked-for.ts';
import { isRefused, isWithheld } from './outbox.ts';

export interface Ref {
  readonly type: string;
  readonly id: string;
}

/** More would be one resource that hangs on the whole database; the rest becomes logical references. */
const MOST_NODES = 500;

/**
 * The resource with everything that must be there before it, dependencies first. Resources that refer to each other
 * stand together.
 */
export async function pushOrder(context: RunContext, start: Ref): Promise<Ref[][]> {
  const nodes = new Map<string, Ref>([[keyOf(start), start]]);
  const edges = new Map<string, string[]>();
  for (const node of nodes.values()) {
    const targets = await unlinkedTargets(context, node);
    edges.set(keyOf(node), targets.map(keyOf));
    for (const target of targets) {
      if (nodes.size < MOST_NODES && !nodes.has(keyOf(target))) nodes.set(keyOf(target), target);
    }
  }
  const circles = components(keyOf(start), edges);
  return components(keyOf(start), loosened(edges, circles, nodes)).map((component) =>
    component.map((key) => nodes.get(key)).filter((node) => node !== undefined),
  );
}

/** Who may be there already has to be looked for, so waits for nobody who waits for them: those are made afterwards. */
function loosened(
  edges: ReadonlyMap<string, readonly string[]>,
  circles: readonly (readonly string[])[],
  nodes: ReadonlyMap<string, Ref>,
): ReadonlyMap<string, readonly string[]> {
  const loose = new Map(edges);
  for (const circle of circles) {
    for (const key of circle) {
      if (!isLookedFor(nodes.get(key)?.type ?? '')) continue;
      const others = (edges.get(key) ?? []).filter((target) => !circle.includes(target));
      loose.set(key, others);
    }
  }
  return loose;
}

/** Local resources that this one refers to, that belong on the remote and are not there. */
export async function unlinkedTargets(context: RunContext, node: Ref): Promise<Ref[]> {
  const { store, connection } = context;
  const stored = await store.read(node.type, node.id);
  if (!stored || stored.operation === 'delete') return [];
  const found = new Map<string, Ref>();
  for (const reference of collectReferences(resourceOf(parseBody(stored.content)))) {
    const target = parseLiteral(reference);
    if (target && canPush(context, target.type) && keyOf(target) !== keyOf(node)) found.set(keyOf(target), target);
  }
  const links = await readLinkMap(store, connection.name, [...found.values()], []);
  const lost = [...found.values()].filter(({ type, id }) => links.remoteOf(type, id) === undefined);
  // Whoever was merged away here goes nowhere; what patients' records say of each other is about the records.
  const patients = node.type === 'Patient' ? [] : lost.filter(({ type }) => type === 'Patient').map(({ id }) => id);
  const standing = await inUseAmong(store, patients);
  // What is there already goes on without what the server refuses.
  const isThere = lost.length > 0 && (await readLink(store, connection.name, node.type, node.id)) !== undefined;
  const open: Ref[] = [];
  for (const { type, id } of lost) {
    const target = { type, id: (type === 'Patient' && standing.get(id)) || id };
    // It may not be there: what refers to it goes with a logical reference.
    if (await isWithheld(store, connection.name, target.type, target.id)) continue;
    const current = await store.read(target.type, target.id);
    if (!current || current.operation === 'delete') continue;
    if (isThere && (await isRefused(store, connection.name, current))) continue;
    if (!(await unseenPatientOf(context, current))?.isGone) open.push(target);
  }
  return open;
}

/** The first of ours that a body in remote terms names by our identifier only, because the server refuses it. */
export async function refusedTarget(
  { store, connection, mapping }: RunContext,
  body: JsonObject,
): Promise<string | undefined> {
  const named: Ref[] = [];
  mapReferences(body, (reference) => {
    const id =
      reference.reference === undefined
        ? ownIdentifierOf(mapping, { identifier: [reference.identifier ?? null] })
        : undefined;
    if (id !== undefined && typeof reference.type === 'string') named.push({ type: reference.type, id });
    return reference;
  });
  for (const { type, id } of named) {
    const stored = await store.read(type, id);
    if (stored && (await isRefused(store, connection.name, stored))) return keyOf({ type, id });
  }
  return undefined;
}

/** True when resources of the type go to the remote and the remote takes them. */
export function canPush({ connection, capability }: RunContext, type: string): boolean {
  return pushes(connection, type) && (capability.supports(type, 'create') || capability.updateCreate(type));
}

/** Strongly connected components reachable from `start`, each after those it points to (Tarjan). */
export function components(start: string, edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const stack: string[] = [];
  const done: string[][] = [];
  const visit = (node: string): number => {
    const own = index.size;
    index.set(node, own);
    stack.push(node);
    let lowest = own;
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, index.get(next) ?? own);
    }
    if (lowest === own) done.push(stack.splice(stack.indexOf(node)));
    return lowest;
  };
  visit(start);
  return done;
}

export function keyOf({ type, id }: Ref): string {
  return `${type}/${id}`;
}
