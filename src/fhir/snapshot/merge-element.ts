// One element of a differential over the element it constrains.
// https://hl7.org/fhir/R4/profiling.html#snapshot
import type { ElementDefinition, ElementDefinitionConstraint } from '@medplum/fhirtypes';
import type { DraftElement } from './draft.ts';

/** Lists that a differential adds to; every other property of it replaces what the base says. */
const ADDED = ['alias', 'condition', 'example', 'mapping', 'extension'] as const;

/**
 * @param inherited rules that come along with the profile of the element's type
 * @returns the base with what the differential says; a fixed or pattern value replaces the other kind
 */
export function mergeElement(
  base: DraftElement,
  { id: _, path: __, ...differential }: ElementDefinition,
  inherited: readonly ElementDefinitionConstraint[] = [],
): DraftElement {
  const merged: Record<string, unknown> = { ...base, ...differential };
  for (const key of ADDED) {
    const items = distinct([...(base[key] ?? []), ...(differential[key] ?? [])]);
    if (items.length > 0) merged[key] = items;
  }
  const constraint = mergeConstraints([base.constraint, inherited, differential.constraint]);
  if (constraint.length > 0) merged.constraint = constraint;
  if (base.binding && differential.binding) merged.binding = { ...base.binding, ...differential.binding };
  if (base.slicing && differential.slicing) merged.slicing = { ...base.slicing, ...differential.slicing };
  return merged as unknown as DraftElement;
}

/** Rules by key: the first to define a key keeps its place, the last gives its text. */
function mergeConstraints(
  lists: readonly (readonly ElementDefinitionConstraint[] | undefined)[],
): ElementDefinitionConstraint[] {
  const byKey = new Map<string, ElementDefinitionConstraint>();
  for (const constraint of lists.flatMap((list) => list ?? [])) byKey.set(constraint.key ?? '', constraint);
  return [...byKey.values()];
}

function distinct(items: readonly unknown[]): unknown[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const text = JSON.stringify(item);
    return !seen.has(text) && seen.add(text);
  });
}
