// Medplum carries out maps by a schema of its own: which elements are lists. It is given Baton's definitions of the types
// that the maps use.
import { loadDataType, tryGetDataType } from '@medplum/core';
import type { StructureDefinition } from '@medplum/fhirtypes';
import { baseStructures } from '../../fhir/base-structures.ts';

/** Data types, and these resource types. */
export function loadTypes(resourceTypes: readonly string[]): void {
  for (const { elements, ...structure } of baseStructures()) {
    const isUsed = structure.kind === 'complex-type' || resourceTypes.includes(structure.type);
    if (!isUsed || structure.derivation === 'constraint' || tryGetDataType(structure.type)) continue;
    loadDataType({
      resourceType: 'StructureDefinition',
      ...structure,
      snapshot: { element: elements },
    } as StructureDefinition);
  }
}

/**
 * The resource with lists where FHIR has them: inside an element without a type of its own, such as
 * `Encounter.hospitalization`, Medplum does not know.
 */
export function withLists<T extends object>(node: T, path: string): T {
  const entries = Object.entries(node).map(([name, value]: [string, unknown]): [string, unknown] => {
    const element = elementAt(`${path}.${name}`);
    const inner = element?.type && !isNested(element.type) ? element.type : `${path}.${name}`;
    const each = (one: unknown) => (typeof one === 'object' && one !== null ? withLists(one, inner) : one);
    if (Array.isArray(value)) return [name, value.map(each)];
    return [name, element?.isList ? [each(value)] : each(value)];
  });
  return Object.fromEntries(entries) as T;
}

interface Element {
  readonly isList: boolean;
  /** Absent for a choice of types. */
  readonly type: string | undefined;
}

const isNested = (type: string) => type === 'BackboneElement' || type === 'Element';

let elements: ReadonlyMap<string, Element> | undefined;

function elementAt(path: string): Element | undefined {
  elements ??= new Map(
    baseStructures().flatMap((structure) =>
      structure.elements.map(({ path: at, max, type }) => [at, { isList: max === '*', type: type?.[0]?.code }]),
    ),
  );
  return elements.get(path);
}
