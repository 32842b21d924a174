// `fixed[x]` and `pattern[x]` of an element. https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_
import type { ElementDefinition } from '@medplum/fhirtypes';
import { keyOf } from '../../fhirpath/equality.ts';
import { shown } from '../issue.ts';

export interface Expected {
  readonly type: string;
  readonly value: unknown;
  /** A pattern may be exceeded, a fixed value may not. */
  readonly exact: boolean;
}

/** The value that an element is bound to, if any. */
export function expectedValue(element: ElementDefinition): Expected | undefined {
  for (const [key, value] of Object.entries(element)) {
    const [, kind, type] = /^(fixed|pattern)([A-Z]\w*)$/.exec(key) ?? [];
    if (kind === undefined || type === undefined) continue;
    return { type: fhirType(type), value, exact: kind === 'fixed' };
  }
  return undefined;
}

export function isExpected(value: unknown, expected: Expected): boolean {
  if (!expected.exact) return contains(value, expected.value);
  return keyOf({ type: 'object', value }) === keyOf({ type: 'object', value: expected.value });
}

export function expectation({ value, exact }: Expected): string {
  return exact ? `This must be exactly ${shown(value)}.` : `This must contain ${shown(value)}.`;
}

/** Everything in the pattern is in the value; each item of a list in the pattern matches some item of the value. */
function contains(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((wanted) => value.some((item) => contains(item, wanted)));
  }
  if (typeof pattern !== 'object' || pattern === null) return value === pattern;
  if (typeof value !== 'object' || value === null) return false;
  const object = value as Record<string, unknown>;
  return Object.entries(pattern).every(([key, wanted]) => Object.hasOwn(object, key) && contains(object[key], wanted));
}

/** `String` in `fixedString` is the primitive `string`; complex types keep their capital. */
function fhirType(suffix: string): string {
  const lower = suffix.charAt(0).toLowerCase() + suffix.slice(1);
  return PRIMITIVES.has(lower) ? lower : suffix;
}

const PRIMITIVES = new Set(
  (
    'base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string ' +
    'time unsignedInt uri url uuid'
  ).split(' '),
);
