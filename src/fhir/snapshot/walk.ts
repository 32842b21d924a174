// Finding the element that a differential speaks of, walking into data types, content references and slices on the way.
import { Fault } from '../../fault.ts';
import { namesType, typeNamed } from './choice.ts';
import { copyDraft, type Draft, type DraftElement, draftOf, type SnapshotSource } from './draft.ts';

/** A definition by type name or canonical URL (perhaps with `|version`); undefined when it is not known. */
export type Lookup = (typeOrUrl: string) => SnapshotSource | undefined;

/** Deeper than elements of real profiles are; each level copies a type. */
const DEEPEST = 40;

export interface Walk {
  readonly root: Draft;
  readonly lookup: Lookup;
  /** Whether elements that the base does not have are new ones (a specialization) rather than mistakes. */
  readonly grows: boolean;
  /** Elements `value[x]` that the differential named only by a type (`valueQuantity`) and so limits to it. */
  readonly limited: Set<Draft>;
  /** The ids of the differential. */
  readonly ids: readonly string[];
}

/**
 * @param id e.g. `Observation.component:systolic.value[x]`
 * @returns the element at an id of a differential, made when it is a new slice
 * @throws Fault invalid when there is no such element
 */
export function draftAt(id: string, walk: Walk): Draft {
  const segments = id.split('.').slice(1);
  if (segments.length > DEEPEST) {
    throw new Fault('invalid', `The differential goes more than ${DEEPEST} levels deep.`);
  }
  let at = walk.root;
  let place = walk.root.name;
  for (const segment of segments) {
    const colon = segment.indexOf(':');
    const name = colon < 0 ? segment : segment.slice(0, colon);
    const child = childOf(at, name, place, walk);
    if (!child) throw new Fault('invalid', `The differential names ${id}, which its base does not have.`);
    at = colon < 0 ? child : sliceOf(child, segment.slice(colon + 1));
    place += `.${segment}`;
  }
  return at;
}

function childOf(parent: Draft, name: string, place: string, walk: Walk): Draft | undefined {
  walkInto(parent, walk);
  const own = parent.children.find((child) => child.name === name);
  if (own) return own;
  const choice = parent.children.find((child) => namesType(child, name));
  if (choice) return typeOfChoice(choice, name, place, walk);
  if (!walk.grows) return undefined;
  const added: Draft = { name, element: {} as DraftElement, children: [], slices: [] };
  parent.children.push(added);
  return added;
}

/** `valueQuantity`: a slice of `value[x]`, or, inside a slice that says nothing of other types, the element itself. */
function typeOfChoice(choice: Draft, name: string, place: string, { ids, limited }: Walk): Draft {
  const stem = `${place}.${choice.name.slice(0, -'[x]'.length)}`;
  const explicit = ids.some((id) => id.startsWith(`${stem}[x]`));
  const others = ids.some((id) => id.startsWith(stem) && !`${id}.`.startsWith(`${place}.${name}.`));
  if (place.includes(':') && !explicit && !others) {
    const type = typeNamed(choice, name);
    if (type) choice.element = { ...choice.element, type: [type] };
    return choice;
  }
  if (!explicit) limited.add(choice);
  return sliceOf(choice, name);
}

/** Gives an element that ends here the children of its type, of the profile of its type, or of what it refers to. */
function walkInto(draft: Draft, { root, lookup }: Walk): void {
  if (draft.children.length > 0) return;
  const { contentReference, ...element } = draft.element;
  if (contentReference) {
    const target = referred(root, contentReference);
    draft.children = target?.children.map(copyDraft) ?? [];
    draft.element = { ...element, ...(target?.element.type && { type: target.element.type }) };
    return;
  }
  const { type = [] } = element;
  const codes = new Set(type.map(({ code }) => code));
  const profiles = type.flatMap(({ profile }) => profile ?? []);
  const profiled = codes.size === 1 && profiles.length === 1 ? lookup(profiles[0] as string) : undefined;
  const source = profiled ?? lookup(codes.size === 1 && type[0] ? type[0].code : 'Element');
  draft.children = source ? draftOf(source).children.map(copyDraft) : [];
}

/** `#Questionnaire.item`, or the same with the URL of the type before it. */
function referred(root: Draft, contentReference: string): Draft | undefined {
  const names = contentReference.slice(contentReference.indexOf('#') + 1).split('.');
  let at: Draft | undefined = root;
  for (const name of names.slice(1)) at = at?.children.find((child) => child.name === name);
  return at?.origin ?? at;
}

/**
 * A slice by name, made when it is new; `a/b` is a slice of slice `a` and starts as that. Others start from the element
 * as the base has it: what the differential says of the element itself holds for members of the slice without being repeated.
 */
function sliceOf(sliced: Draft, name: string): Draft {
  const slash = name.lastIndexOf('/');
  const owner = slash < 0 ? sliced : sliceOf(sliced, name.slice(0, slash));
  const known = owner.slices.find(({ element }) => element.sliceName === name);
  if (known) return known;
  owner.element = { ...owner.element, slicing: owner.element.slicing ?? impliedSlicing(owner) };
  const start = slash < 0 ? (owner.origin ?? owner) : owner;
  const slice = copyDraft({ ...start, slices: [] });
  const { slicing: _, ...element } = start.element;
  const type = typeNamed(owner, name);
  slice.element = { ...element, sliceName: name, min: 0, ...(type && { type: [type] }) } as DraftElement;
  owner.slices.push(slice);
  return slice;
}

/** Extensions are told apart by their url, choices by their type. https://hl7.org/fhir/R4/profiling.html#slicing */
function impliedSlicing({ name, element }: Draft): NonNullable<DraftElement['slicing']> {
  const discriminator = name.endsWith('[x]')
    ? [{ type: 'type' as const, path: '$this' }]
    : element.type?.[0]?.code === 'Extension'
      ? [{ type: 'value' as const, path: 'url' }]
      : [];
  return { ...(discriminator.length > 0 && { discriminator }), ordered: false, rules: 'open' };
}
