// What Baton knows about FHIR: the types of R4, installed profiles, and the codes of value sets.
import type { CodeSystem, Resource, StructureDefinition, ValueSet } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { baseStructures, type Structure, toStructure } from './base-structures.ts';
import { createTerminology, type ValueSetCodes } from './terminology.ts';

export interface Definitions {
  /** The resource types of R4 that can be instantiated, in alphabetical order. */
  readonly resourceTypes: readonly string[];
  /** By type name (`Patient`) or canonical URL, a version after `|` is ignored. Undefined when not installed. */
  structure(typeOrUrl: string): Structure | undefined;
  /** The codes of a value set; undefined when it is not installed. Terminology files are read when first needed. */
  codes(valueSet: string): ValueSetCodes | undefined;
  /** An installed (not a base) StructureDefinition, ValueSet or CodeSystem as it was given. */
  installed(url: string): Resource | undefined;
}

type Conformance = StructureDefinition | ValueSet | CodeSystem;

/**
 * @param extra profiles, extensions, value sets and code systems to know besides R4; other resources are ignored. A
 *   profile without snapshot is refused.
 * @throws Fault `invalid` naming the resource that cannot be used
 */
export function loadDefinitions(extra: readonly Resource[] = []): Definitions {
  const added = extra.filter(isConformance);
  const structures = new Map<string, Structure>();
  for (const structure of baseStructures()) addStructure(structures, structure);
  for (const resource of added) {
    if (resource.resourceType !== 'StructureDefinition') continue;
    const structure = toStructure(resource);
    if (!structure) throw withoutSnapshot(resource);
    structures.set(structure.url, structure);
  }
  const resources = new Map(added.flatMap((resource) => (resource.url ? [[resource.url, resource] as const] : [])));
  const terminology = createTerminology(added.filter((resource) => resource.resourceType !== 'StructureDefinition'));
  return {
    resourceTypes: baseStructures()
      .filter(isConcreteResource)
      .map(({ name }) => name)
      .sort(),
    structure: (typeOrUrl) => structures.get(withoutVersion(typeOrUrl)),
    codes: (valueSet) => terminology.codes(withoutVersion(valueSet)),
    installed: (url) => resources.get(withoutVersion(url)),
  };
}

/** A canonical without its `|version`. */
function withoutVersion(canonical: string): string {
  const bar = canonical.indexOf('|');
  return bar < 0 ? canonical : canonical.slice(0, bar);
}

/** Base types are known by name as well as by URL; profiles only by URL, so that they cannot pose as types. */
function addStructure(structures: Map<string, Structure>, structure: Structure): void {
  structures.set(structure.url, structure);
  if (structure.derivation !== 'constraint') structures.set(structure.name, structure);
}

function isConcreteResource({ kind, abstract }: Structure): boolean {
  return kind === 'resource' && !abstract;
}

function isConformance(resource: Resource): resource is Conformance {
  return ['StructureDefinition', 'ValueSet', 'CodeSystem'].includes(resource.resourceType);
}

function withoutSnapshot({ url }: StructureDefinition): Fault {
  return new Fault(
    'invalid',
    `The StructureDefinition ${url} has no snapshot; install the one that its guide publishes.`,
    {
      expression: 'StructureDefinition.snapshot',
    },
  );
}
