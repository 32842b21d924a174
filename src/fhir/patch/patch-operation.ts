// One operation of a FHIRPath Patch, as its Parameters write it. https://hl7.org/fhir/R4/fhirpatch.html
import { refuse } from './json-pointer.ts';
import { checkPath } from './patch-path.ts';
import type { JsonObject } from './places.ts';

export interface PatchOperation {
  readonly type: 'add' | 'insert' | 'delete' | 'replace' | 'move';
  readonly path: string;
  /** add: the element to add. */
  readonly name?: string;
  /** The part that holds the value; empty when the type takes none. */
  readonly value: JsonObject;
  readonly index?: number;
  readonly source?: number;
  readonly destination?: number;
  /** Of the operation in the Parameters, for messages. */
  readonly where: string;
}

/** The parts each type needs. */
const NEEDED = {
  add: ['name', 'value'],
  insert: ['value', 'index'],
  delete: [],
  replace: ['value'],
  move: ['source', 'destination'],
} as const satisfies Record<PatchOperation['type'], readonly string[]>;

const INTEGERS = ['index', 'source', 'destination'] as const;

/** @throws Fault unprocessable */
export function readOperation(given: unknown, where: string): PatchOperation {
  const { name, part } = (given ?? {}) as JsonObject;
  if (name !== 'operation' || !Array.isArray(part)) {
    throw refuse('Each parameter must be named "operation" and have parts.', where);
  }
  const parts = partsOf(part, where);
  const type = textOf(parts.get('type'));
  const path = textOf(parts.get('path'));
  if (type === undefined || !isType(type)) {
    throw refuse(`The type must be one of ${Object.keys(NEEDED).join(', ')}.`, where);
  }
  if (path === undefined || path.trim() === '') throw refuse('The operation needs a path.', where);
  checkPath(path, where);
  refuseWrongParts(type, parts, where);
  const element = textOf(parts.get('name'));
  const integers = INTEGERS.flatMap((each) => (parts.has(each) ? [[each, integerOf(parts.get(each), where)]] : []));
  return {
    type,
    path,
    value: parts.get('value') ?? {},
    where,
    ...(element === undefined ? {} : { name: element }),
    ...Object.fromEntries(integers),
  };
}

function partsOf(given: readonly unknown[], where: string): Map<string, JsonObject> {
  const parts = new Map<string, JsonObject>();
  for (const part of given) {
    const { name } = (part ?? {}) as JsonObject;
    if (typeof name !== 'string' || parts.has(name)) throw refuse('Each part needs a name of its own.', where);
    parts.set(name, part as JsonObject);
  }
  return parts;
}

function refuseWrongParts(type: PatchOperation['type'], parts: ReadonlyMap<string, JsonObject>, where: string): void {
  const needed: readonly string[] = NEEDED[type];
  const missing = needed.find((name) => !parts.has(name));
  if (missing) throw refuse(`An operation of type ${type} needs the part ${missing}.`, where);
  const unknown = [...parts.keys()].find((name) => name !== 'type' && name !== 'path' && !needed.includes(name));
  if (unknown) throw refuse(`An operation of type ${type} has no part ${unknown}.`, where);
}

function isType(text: string): text is PatchOperation['type'] {
  return Object.hasOwn(NEEDED, text);
}

function textOf(part: JsonObject | undefined): string | undefined {
  const text = part?.valueString ?? part?.valueCode;
  return typeof text === 'string' ? text : undefined;
}

function integerOf(part: JsonObject | undefined, where: string): number {
  const value = part?.valueInteger ?? part?.valueUnsignedInt ?? part?.valuePositiveInt;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw refuse(`${String(part?.name)} must be a valueInteger from 0.`, where);
}
