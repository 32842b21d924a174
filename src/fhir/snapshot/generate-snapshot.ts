// Differential -> snapshot: what a profile says, over what its base says. https://hl7.org/fhir/R4/profiling.html#snapshot
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { closeWhenCovered, limitToRequired } from './choice.ts';
import { copyDraft, type Draft, draftOf, elementsOf } from './draft.ts';
import { mergeElement } from './merge-element.ts';
import { draftAt, type Lookup, type Walk } from './walk.ts';

/**
 * @param definition with a differential; its snapshot, if any, is not looked at
 * @param lookup finds the base, data types, and profiles of types
 * @returns the definition with a snapshot
 * @throws Fault invalid when the base is not known or the differential names what the base does not have
 */
export function generateSnapshot(definition: StructureDefinition, lookup: Lookup): StructureDefinition {
  const base = definition.baseDefinition === undefined ? undefined : lookup(definition.baseDefinition);
  if (!base) {
    throw new Fault(
      'invalid',
      `The StructureDefinition ${definition.url} is based on ${definition.baseDefinition}, which is not installed.`,
      { expression: 'StructureDefinition.baseDefinition' },
    );
  }
  const differential = withIds(definition.differential?.element ?? []);
  const root = copyDraft({ ...draftOf(base), name: rootName(definition) });
  const walk: Walk = {
    root,
    lookup,
    grows: definition.derivation === 'specialization',
    limited: new Set(),
    ids: differential.map(({ id }) => id),
  };
  for (const element of differential) {
    const draft = draftAt(element.id, walk);
    draft.element = mergeElement(draft.element, element);
  }
  for (const choice of walk.limited) limitToRequired(choice);
  forEachDraft(root, closeWhenCovered);
  return { ...definition, snapshot: { element: elementsOf(root) } };
}

/** A logical model's type may be a URL; its paths start with the last part of it. */
function rootName({ type, differential }: StructureDefinition): string {
  return differential?.element[0]?.path.split('.')[0] ?? type.slice(type.lastIndexOf('/') + 1);
}

/** Where ids are left out they follow from the paths and from the slice names met before. */
function withIds(elements: readonly ElementDefinition[]): (ElementDefinition & { id: string })[] {
  const byPath = new Map<string, string>();
  return elements.map((element) => {
    const { path, sliceName } = element;
    const id = element.id ?? `${idOf(path, byPath)}${sliceName === undefined ? '' : `:${sliceName}`}`;
    for (const known of byPath.keys()) if (known.startsWith(`${path}.`)) byPath.delete(known);
    byPath.set(path, id);
    return { ...element, id };
  });
}

/** The path, in the slice that the nearest element above it was in. */
function idOf(path: string, byPath: ReadonlyMap<string, string>): string {
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const above = byPath.get(path.slice(0, dot));
    if (above !== undefined) return above + path.slice(dot);
  }
  return path;
}

function forEachDraft(draft: Draft, act: (draft: Draft) => void): void {
  act(draft);
  for (const below of [...draft.children, ...draft.slices]) forEachDraft(below, act);
}
