// What Baton knows about FHIR: the types of R4, installed profiles, and the codes of value sets.
import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { type Artefact, type Artefacts, artefactOf, indexArtefacts, splitCanonical } from './artefacts.ts';
import { baseStructures, type Structure, toStructure } from './base-structures.ts';
import { coreProfile } from './core-profiles.ts';
import { pinned } from './package/pin.ts';
import { generateSnapshot } from './snapshot/generate-snapshot.ts';
import { installedTerminology } from './terminology/installed.ts';
import { createTerminology, type Terminology } from './terminology/terminology.ts';
import type { ValueSetCodes } from './terminology/value-set-codes.ts';

export interface Definitions {
  /** The resource types of R4 that can be instantiated, in alphabetical order. */
  readonly resourceTypes: readonly string[];
  /**
   * By type name (`Patient`) or canonical URL. `url|version` is that version of an installed profile, a URL alone the
   * newest one; for R4's own types the version does not matter. Undefined when not installed.
   * @throws Fault invalid | unprocessable for an installed profile that cannot be used
   */
  structure(typeOrUrl: string): Structure | undefined;
  /** The codes of a value set; undefined when it is not installed. Terminology files are read when first needed. */
  codes(valueSet: string): ValueSetCodes | undefined;
  /** An installed (not a base) StructureDefinition, ValueSet or CodeSystem as it was given, `url` or `url|version`. */
  installed(canonical: string): Resource | undefined;
  /** Everything installed, by canonical: guides and what Baton brings along in profiles/. */
  readonly artefacts: Artefacts;
  /** Code systems, value sets and concept maps of R4 and installed ones. */
  readonly terminology: Terminology;
}

const CONFORMANCE = ['StructureDefinition', 'ValueSet', 'CodeSystem'] as const;

/**
 * @param extra profiles, extensions, value sets and code systems to know besides R4; other resources are ignored
 * @param guides the artefacts of installed guides, which are not read before they are needed
 * @throws Fault `invalid` naming the resource that cannot be used
 */
export function loadDefinitions(extra: readonly Resource[] = [], guides: readonly Artefact[] = []): Definitions {
  for (const resource of extra) {
    if (resource.resourceType === 'StructureDefinition') refuseEmpty(resource);
  }
  const artefacts = indexArtefacts([...extra.flatMap((resource) => artefactOf(resource) ?? []), ...guides]);
  const base = new Map<string, Structure>();
  for (const structure of baseStructures()) addStructure(base, structure);
  const structures = new Map<Artefact, Structure>();
  const terminology = createTerminology(installedTerminology(artefacts));

  /** Being made now: a profile that is based on itself would be made for ever. */
  const making = new Set<Artefact>();

  function structure(typeOrUrl: string): Structure | undefined {
    const known = base.get(splitCanonical(typeOrUrl).url);
    const artefact = known ? undefined : artefacts.find('StructureDefinition', typeOrUrl);
    if (!artefact) return known ?? coreProfile(splitCanonical(typeOrUrl).url);
    return structures.get(artefact) ?? makeStructure(artefact);
  }

  function makeStructure(artefact: Artefact): Structure {
    if (making.has(artefact)) throw unreadable(artefact, 'it is based on itself');
    making.add(artefact);
    try {
      const made = readStructure(artefact, artefacts, structure);
      structures.set(artefact, made);
      return made;
    } finally {
      making.delete(artefact);
    }
  }

  return {
    resourceTypes: baseStructures()
      .filter(isConcreteResource)
      .map(({ name }) => name)
      .sort(),
    structure,
    codes: terminology.codes,
    installed(canonical) {
      const artefact = CONFORMANCE.map((type) => artefacts.find(type, canonical)).find((found) => found !== undefined);
      return artefact?.read();
    },
    artefacts,
    terminology,
  };
}

/** With the snapshot as published, or one made from the differential. */
function readStructure(artefact: Artefact, artefacts: Artefacts, lookup: Definitions['structure']): Structure {
  const published = artefact.read() as StructureDefinition;
  refuseEmpty(published);
  try {
    const definition = pinned(published, artefact, artefacts);
    const whole = definition.snapshot ? definition : generateSnapshot(definition, lookup);
    return toStructure(whole) as Structure;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw unreadable(artefact, 'it is not a StructureDefinition of R4', error);
  }
}

/** Base types are known by name as well as by URL; profiles only by URL, so that they cannot pose as types. */
function addStructure(structures: Map<string, Structure>, structure: Structure): void {
  structures.set(structure.url, structure);
  if (structure.derivation !== 'constraint') structures.set(structure.name, structure);
}

function isConcreteResource({ kind, abstract }: Structure): boolean {
  return kind === 'resource' && !abstract;
}

/** @throws Fault invalid for one that says nothing about any element */
function refuseEmpty({ url, snapshot, differential }: StructureDefinition): void {
  if (snapshot || differential) return;
  throw new Fault('invalid', `The StructureDefinition ${url} has neither a snapshot nor a differential.`, {
    expression: 'StructureDefinition.snapshot',
  });
}

function unreadable({ url }: Artefact, why: string, cause?: unknown): Fault {
  return new Fault('unprocessable', `The StructureDefinition ${url} cannot be used: ${why}.`, { cause });
}
