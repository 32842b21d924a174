// A StructureDefinition -> JSON schemas for ajv: one for the type, one for each element defined inside it. What JSON
// schema has no word for (choices, primitives with companions, bindings, invariants) are keywords of `keywords.ts`.
import type { ElementDefinition, ElementDefinitionType } from '@medplum/fhirtypes';
import type { Structure } from '../base-structures.ts';
import { typeCode } from '../fhirpath/type-model.ts';
import { isPrimitive } from '../fhirpath/typed-value.ts';
import { primitiveSchema } from './primitives.ts';
import type { Shape } from './shape.ts';

export type Schema = Record<string, unknown>;

/** The `$id` under which a type or inner element (`Patient.contact`) is referred to. */
export function schemaId(path: string): string {
  return `https://baton.health/schema/${path}`;
}

/** A companion in a list (`_given`): an Element, or null where the value has none. */
const PLACE = 'ElementOrNull';

/** All schemas of one base type, and the types they refer to. */
export interface TypeSchemas {
  readonly schemas: readonly Schema[];
  readonly uses: ReadonlySet<string>;
}

/** Elements that JSON represents without a companion: attributes in XML, and XHTML. */
const WITHOUT_COMPANION = new Set(['Element.id', 'Extension.url', 'Narrative.div']);

export function typeSchemas(structure: Structure): TypeSchemas {
  const owners = new Map<string, ElementDefinition[]>();
  for (const element of structure.elements) {
    const dot = element.path.lastIndexOf('.');
    if (dot < 0) continue;
    const owner = element.path.slice(0, dot);
    owners.set(owner, [...(owners.get(owner) ?? []), element]);
  }
  const uses = new Set<string>();
  const schemas = [...owners].map(([owner, elements]) => {
    const root = structure.elements.find(({ path }) => path === owner) as ElementDefinition;
    return ownerSchema(structure, root, elements, owners, uses);
  });
  if (structure.name === 'Element') {
    schemas.push(...schemas.map((schema) => ({ ...schema, $id: schemaId(PLACE), type: ['object', 'null'] })));
  }
  return { schemas, uses };
}

function ownerSchema(
  structure: Structure,
  root: ElementDefinition,
  elements: readonly ElementDefinition[],
  owners: ReadonlyMap<string, unknown>,
  uses: Set<string>,
): Schema {
  const properties: Record<string, Schema> = {};
  const shape: Shape = { required: [], choices: [], lists: [], idAlone: mayHaveIdAlone(structure, root) };
  if (structure.kind === 'resource' && root.path === structure.name)
    properties.resourceType = { const: structure.name };
  for (const element of elements) addElement(element, properties, shape, owners, uses);
  const constraints = root.constraint ?? [];
  return {
    $id: schemaId(root.path),
    type: 'object',
    properties,
    additionalProperties: false,
    minProperties: 1,
    shape,
    ...(root.path === 'Extension' ? { extension: true } : {}),
    ...(constraints.length > 0 ? { rules: { type: root.path, constraints } } : {}),
  };
}

/** `Patient` with an id is something, and so is a companion (its value is elsewhere); other elements need content. */
function mayHaveIdAlone({ kind, name }: Structure, { path }: ElementDefinition): boolean {
  return path === name && (kind === 'resource' || name === 'Element');
}

function addElement(
  element: ElementDefinition,
  properties: Record<string, Schema>,
  shape: Shape,
  owners: ReadonlyMap<string, unknown>,
  uses: Set<string>,
): void {
  const name = element.path.slice(element.path.lastIndexOf('.') + 1).replace('[x]', '');
  const list = element.max !== '1';
  const keys: string[] = [];
  for (const { key, schema, type } of variants(element, name, list, owners, uses)) {
    if (element.max === '0') continue;
    properties[key] = list ? { type: 'array', minItems: 1, items: schema } : schema;
    keys.push(key);
    if (type === undefined || !isPrimitive(type) || hasNoCompanion(element)) continue;
    uses.add('Element');
    const companion = { $ref: schemaId('Element') };
    const place = { $ref: schemaId(PLACE) };
    properties[`_${key}`] = list ? { type: 'array', minItems: 1, items: place } : companion;
    keys.push(`_${key}`);
    if (list) shape.lists.push(key);
  }
  if (keys.length === 0) return;
  if ((element.min ?? 0) > 0) shape.required.push({ name, keys });
  if (element.path.endsWith('[x]')) shape.choices.push({ name, keys: keys.filter((key) => !key.startsWith('_')) });
}

function hasNoCompanion({ path, type }: ElementDefinition): boolean {
  const system = type?.[0]?.code.startsWith('http://hl7.org/fhirpath/') ?? false;
  return WITHOUT_COMPANION.has(path) || (system && !/^[A-Z]\w*\.id$/.test(path));
}

interface Variant {
  readonly key: string;
  readonly type?: string;
  readonly schema: Schema;
}

function variants(
  element: ElementDefinition,
  name: string,
  list: boolean,
  owners: ReadonlyMap<string, unknown>,
  uses: Set<string>,
): Variant[] {
  if (element.contentReference) {
    return [{ key: name, schema: { $ref: schemaId(element.contentReference.replace(/^.*#/, '')) } }];
  }
  if (owners.has(element.path)) return [{ key: name, schema: { $ref: schemaId(element.path) } }];
  return (element.type ?? []).map((type) => {
    const code = typeCode(type, element.path);
    const key = element.path.endsWith('[x]') ? name + code.charAt(0).toUpperCase() + code.slice(1) : name;
    return {
      key,
      type: code,
      schema: { ...valueSchema(code, list, uses), ...extras(element, code, type) },
    };
  });
}

function valueSchema(type: string, list: boolean, uses: Set<string>): Schema {
  if (isPrimitive(type)) return primitiveSchema(type, list);
  if (type === 'Resource') return { type: 'object', nested: true };
  uses.add(type);
  return { $ref: schemaId(type) };
}

function extras(element: ElementDefinition, type: string, { profile, targetProfile }: ElementDefinitionType): Schema {
  const found: Schema = {};
  const { binding, constraint } = element;
  if (binding?.strength === 'required' && binding.valueSet) found.binding = binding.valueSet;
  if (type === 'Reference' && targetProfile?.length) {
    found.targets = targetProfile.map((url) => url.replace(/^.*\//, ''));
  }
  if (profile?.some((url) => url.endsWith('/SimpleQuantity'))) found.plainQuantity = true;
  if (constraint?.some(({ key }) => key !== 'ele-1' && key !== 'ext-1')) {
    found.rules = { type, constraints: constraint };
  }
  return found;
}
