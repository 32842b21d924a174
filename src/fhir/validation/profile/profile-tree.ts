// A profile's snapshot as a tree: elements under their parents, slices beside the element they slice.
import type { ElementDefinition } from '@medplum/fhirtypes';
import type { Structure } from '../../base-structures.ts';

export interface ProfileNode {
  readonly element: ElementDefinition;
  /** Last part of the path, without `[x]`. */
  readonly name: string;
  readonly children: readonly ProfileNode[];
  /** The slices of this element, in the order of the profile. */
  readonly slices: readonly ProfileNode[];
}

interface Growing extends ProfileNode {
  readonly children: Growing[];
  readonly slices: Growing[];
}

const trees = new WeakMap<Structure, ProfileNode>();

/** The root of a structure's tree; made once per structure. */
export function profileTree(structure: Structure): ProfileNode {
  const known = trees.get(structure);
  if (known) return known;
  const [first, ...others] = structure.elements;
  const root = grow(first as ElementDefinition);
  const byId = new Map([[first?.id ?? structure.type, root]]);
  for (const element of others) {
    const id = element.id ?? element.path;
    const node = grow(element);
    byId.set(id, node);
    attach(node, id, byId);
  }
  trees.set(structure, root);
  return root;
}

/** `Patient.name:official.use`: a child of `Patient.name:official`; `Patient.name:official`: a slice of `Patient.name`. */
function attach(node: Growing, id: string, byId: ReadonlyMap<string, Growing>): void {
  const dot = id.lastIndexOf('.');
  const colon = id.indexOf(':', dot);
  if (colon < 0) {
    byId.get(id.slice(0, dot))?.children.push(node);
    return;
  }
  const slash = id.lastIndexOf('/');
  const sliced = byId.get(id.slice(0, slash > colon ? slash : colon)) ?? byId.get(id.slice(0, colon));
  sliced?.slices.push(node);
}

function grow(element: ElementDefinition): Growing {
  const name = element.path.slice(element.path.lastIndexOf('.') + 1).replace('[x]', '');
  return { element, name, children: [], slices: [] };
}
