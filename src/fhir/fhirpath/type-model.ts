// The R4 types as FHIRPath needs them: which fields a type has, under which JSON names, and what is a kind of what.
import type { ElementDefinition } from '@medplum/fhirtypes';
import { baseStructures, type Structure } from '../base-structures.ts';
import { isPrimitive } from './typed-value.ts';

/** One JSON property that a field may be found under. */
export interface Property {
  readonly key: string;
  /** FHIR type of the value; `Resource` means: read it from `resourceType`. */
  readonly type: string;
  /** `_key` for primitives. */
  readonly companion?: string;
  /** May repeat, and is an array in JSON. */
  readonly list: boolean;
}

/** A field has one property, a choice (`value[x]`) one for each type. */
export type Field = readonly Property[];

const FHIR_TYPE = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type';

interface Model {
  readonly fields: ReadonlyMap<string, ReadonlyMap<string, Field>>;
  readonly ancestors: ReadonlyMap<string, ReadonlySet<string>>;
}

let model: Model | undefined;

/** The field `name` of a type, or undefined when R4 has none. */
export function fieldOf(type: string, name: string): Field | undefined {
  return loaded().fields.get(type)?.get(name);
}

/** All fields of a type in the order of the definition. */
export function fieldsOf(type: string): Iterable<Field> {
  return loaded().fields.get(type)?.values() ?? [];
}

/** The field that a JSON property (`valueQuantity`, `_birthDate`) belongs to, and the type of its value. */
export function fieldOfProperty(type: string, key: string): { name: string; type: string } | undefined {
  const plain = key.startsWith('_') ? key.slice(1) : key;
  for (const [name, field] of loaded().fields.get(type) ?? []) {
    const property = field.find((one) => one.key === plain);
    if (property) return { name, type: property.type };
  }
  return undefined;
}

/** Whether R4 defines the type (`Patient`, `Quantity`, `string`). */
export function isType(name: string): boolean {
  return loaded().ancestors.has(name);
}

/** Whether `type` is `ancestor` or a specialization of it: code is a string, Age is a Quantity, Patient is a Resource. */
export function isKindOf(type: string, ancestor: string): boolean {
  return type === ancestor || (loaded().ancestors.get(type)?.has(ancestor) ?? false);
}

/** The FHIR type name that an ElementDefinition's type code stands for; System types are mapped to FHIR's. */
export function typeCode(type: NonNullable<ElementDefinition['type']>[number], path: string): string {
  if (!type.code.startsWith('http://hl7.org/fhirpath/')) return type.code;
  if (/^[A-Z]\w*\.id$/.test(path) && isResourcePath(path)) return 'id';
  return type.extension?.find(({ url }) => url === FHIR_TYPE)?.valueUrl ?? 'string';
}

function isResourcePath(path: string): boolean {
  resourceNames ??= new Set(baseStructures().flatMap(({ kind, name }) => (kind === 'resource' ? [name] : [])));
  return resourceNames.has(path.slice(0, path.indexOf('.')));
}

let resourceNames: ReadonlySet<string> | undefined;

function loaded(): Model {
  model ??= build(baseStructures());
  return model;
}

function build(structures: readonly Structure[]): Model {
  const fields = new Map<string, Map<string, Field>>();
  const ancestors = new Map<string, ReadonlySet<string>>();
  const byUrl = new Map(structures.map((structure) => [structure.url, structure]));
  for (const structure of structures) {
    if (structure.derivation === 'constraint') continue;
    ancestors.set(structure.name, ancestorsOf(structure, byUrl));
    addFields(structure, fields, ancestors);
  }
  return { fields, ancestors };
}

function ancestorsOf(structure: Structure, byUrl: ReadonlyMap<string, Structure>): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at = structure; at.baseDefinition; ) {
    const parent = byUrl.get(at.baseDefinition);
    if (!parent) break;
    names.add(parent.name);
    at = parent;
  }
  return names;
}

function addFields(
  structure: Structure,
  fields: Map<string, Map<string, Field>>,
  ancestors: Map<string, ReadonlySet<string>>,
): void {
  const own = new Set(structure.elements.map(({ path }) => path.slice(0, path.lastIndexOf('.'))));
  for (const element of structure.elements) {
    const dot = element.path.lastIndexOf('.');
    if (dot < 0) {
      fields.set(element.path, new Map());
      continue;
    }
    const owner = element.path.slice(0, dot);
    if (own.has(element.path)) {
      const kind = element.type?.[0]?.code ?? 'BackboneElement';
      ancestors.set(element.path, new Set(kind === 'Element' ? ['Element'] : [kind, 'Element']));
      fields.set(element.path, new Map());
    }
    const name = element.path.slice(dot + 1).replace('[x]', '');
    fields.get(owner)?.set(name, propertiesOf(element, name, own.has(element.path)));
  }
}

function propertiesOf(element: ElementDefinition, name: string, nested: boolean): Field {
  const list = element.max !== '1' && element.max !== '0';
  if (element.contentReference) return [{ key: name, type: element.contentReference.replace(/^.*#/, ''), list }];
  if (nested) return [{ key: name, type: element.path, list }];
  const choice = element.path.endsWith('[x]');
  return (element.type ?? []).map((type) => {
    const code = typeCode(type, element.path);
    const key = choice ? name + code.charAt(0).toUpperCase() + code.slice(1) : name;
    return isPrimitive(code) ? { key, type: code, companion: `_${key}`, list } : { key, type: code, list };
  });
}
