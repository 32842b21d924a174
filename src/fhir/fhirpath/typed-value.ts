// The values FHIRPath works on: plain JSON with its FHIR type beside it.

/** One item of a FHIRPath collection. */
export interface TypedValue {
  /** FHIR type: `string`, `Quantity`, `Patient`; a path (`Patient.contact`) for an element defined inside a resource. */
  readonly type: string;
  /** JSON as in the resource; undefined for a primitive that has only extensions. */
  readonly value: unknown;
  /** Of a primitive: the companion object (`_birthDate`) with its id and extensions. */
  readonly element?: object;
}

/** Ordered, possibly empty, never changed once made. https://hl7.org/fhirpath/N1/#collections */
export type Collection = readonly TypedValue[];

export const EMPTY: Collection = [];
export const TRUE: Collection = [{ type: 'boolean', value: true }];
const FALSE: Collection = [{ type: 'boolean', value: false }];

export function booleanOf(value: boolean): Collection {
  return value ? TRUE : FALSE;
}

export function stringOf(value: string): Collection {
  return [{ type: 'string', value }];
}

export function integerOf(value: number): Collection {
  return [{ type: 'integer', value }];
}

/** A computed number, rounded to 15 digits so that binary fractions do not show (0.1 + 0.2 = 0.3). */
export function numberOf(value: number, type?: 'integer' | 'decimal'): Collection {
  if (!Number.isFinite(value)) return EMPTY;
  const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(15));
  return [{ type: type ?? (Number.isInteger(rounded) ? 'integer' : 'decimal'), value: rounded }];
}

/** JSON from outside (an environment variable, a resource) as typed items; arrays give one item per element. */
export function collectionOf(value: unknown): Collection {
  if (value === undefined || value === null) return EMPTY;
  return Array.isArray(value) ? value.flatMap(collectionOf) : [typedValueOf(value)];
}

/** Type by inspection: resources by `resourceType`, scalars by their JSON type, other objects are untyped (`object`). */
export function typedValueOf(value: unknown): TypedValue {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'number') return { type: Number.isInteger(value) ? 'integer' : 'decimal', value };
  if (isTypedValue(value)) return value;
  const resourceType = (value as { resourceType?: unknown }).resourceType;
  return { type: typeof resourceType === 'string' ? resourceType : 'object', value };
}

function isTypedValue(value: unknown): value is TypedValue {
  const { type } = value as { type?: unknown };
  return typeof type === 'string' && 'value' in (value as object) && Object.keys(value as object).length <= 3;
}

/** Whether the FHIR type is a primitive: they alone start with a small letter and have no path. */
export function isPrimitive(type: string): boolean {
  const first = type.charCodeAt(0);
  return first >= 97 && first <= 122 && type !== 'object';
}
