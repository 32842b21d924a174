// A snapshot while it grows: elements as a tree, slices beside the element they slice. Ids and paths follow from the
// place in the tree, so that a part of one definition can be taken over into another.
import type { ElementDefinition } from '@medplum/fhirtypes';

/** What a snapshot is made from: the base definition, or that of a data type. */
export interface SnapshotSource {
  readonly url: string;
  /** The type that is defined or constrained, e.g. `Patient`. */
  readonly type: string;
  /** The snapshot, root element first. */
  readonly elements: readonly ElementDefinition[];
}

/** An element without its place. */
export type DraftElement = Readonly<Omit<ElementDefinition, 'id' | 'path'>>;

export interface Draft {
  /** Last part of the path, `value[x]` with its brackets. */
  readonly name: string;
  /** Replaced, never changed: drafts share it. */
  element: DraftElement;
  children: Draft[];
  slices: Draft[];
  /** What it was copied from: the element as its base has it. */
  readonly origin?: Draft;
}

const drafts = new WeakMap<readonly ElementDefinition[], Draft>();

/** The tree of a snapshot. Not to be changed: others use it too; see `copyDraft`. */
export function draftOf({ elements }: SnapshotSource): Draft {
  const known = drafts.get(elements);
  if (known) return known;
  const byId = new Map<string, Draft>();
  let root: Draft | undefined;
  for (const element of elements) {
    const { id = element.path, path, ...rest } = element;
    const draft: Draft = { name: path.slice(path.lastIndexOf('.') + 1), element: rest, children: [], slices: [] };
    byId.set(id, draft);
    root ??= draft;
    if (draft !== root) attach(draft, id, byId);
  }
  if (!root) throw new Error('A snapshot has at least its root element.');
  drafts.set(elements, root);
  return root;
}

/** A tree of its own with the same elements. */
export function copyDraft(origin: Draft): Draft {
  const { name, element, children, slices } = origin;
  return { name, element, children: children.map(copyDraft), slices: slices.map(copyDraft), origin };
}

/** The tree as a list of elements with ids and paths: an element, its children, its slices. */
export function elementsOf(root: Draft): ElementDefinition[] {
  const elements: ElementDefinition[] = [];
  const visit = ({ name, element, children, slices }: Draft, above: { id: string; path: string } | undefined): void => {
    const path = above ? `${above.path}.${name}` : name;
    const label = element.sliceName === undefined ? name : `${name}:${element.sliceName}`;
    const id = above ? `${above.id}.${label}` : label;
    elements.push({ id, path, ...element });
    for (const child of children) visit(child, { id, path });
    for (const slice of slices) visit(slice, above);
  };
  visit(root, undefined);
  return elements;
}

/** `Patient.name:official.use` is a child of `Patient.name:official`, that one a slice of `Patient.name`. */
function attach(draft: Draft, id: string, byId: ReadonlyMap<string, Draft>): void {
  const dot = id.lastIndexOf('.');
  const colon = id.indexOf(':', dot);
  const slash = id.lastIndexOf('/');
  if (colon < 0) byId.get(id.slice(0, dot))?.children.push(draft);
  else (byId.get(id.slice(0, slash > colon ? slash : colon)) ?? byId.get(id.slice(0, colon)))?.slices.push(draft);
}
