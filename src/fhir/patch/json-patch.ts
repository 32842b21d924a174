// JSON Patch on a resource. https://www.rfc-editor.org/rfc/rfc6902 and https://hl7.org/fhir/R4/http.html#patch
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { cloneExact, exactText, expectExact, setExact } from '../exact-json.ts';
import { locateSpot, parsePointer, pointerOf, refuse, type Spot, valueAt } from './json-pointer.ts';
import { refuseProtected } from './protected.ts';
import { sameValue } from './same-value.ts';

const MAX_OPERATIONS = 1_000;
/** Characters of JSON that the `copy` operations of a patch may copy in all: each of them could double the resource. */
const MAX_COPIED = 10_000_000;

interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: readonly string[];
  readonly from: readonly string[];
  /** The operation as it was sent, which holds `value`. */
  readonly given: object;
  readonly where: string;
}

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

/**
 * Reads a patch document.
 * @returns what applies it to a resource, changing the resource in place and throwing Fault unprocessable when it cannot
 * be applied as a whole
 * @throws Fault invalid when it is no list of operations; unprocessable for an operation that is wrong in itself
 */
export function readJsonPatch(body: unknown): (resource: Resource) => Resource {
  if (!Array.isArray(body)) {
    throw new Fault('invalid', 'A JSON Patch is a list of operations.', { code: 'structure' });
  }
  if (body.length > MAX_OPERATIONS) {
    throw new Fault('too-large', `A JSON Patch may have at most ${MAX_OPERATIONS} operations.`);
  }
  const operations = body.map((given, index) => readOperation(given, `[${index}]`));
  return (resource) => {
    let copied = 0;
    for (const operation of operations) {
      const source = operation.op === 'copy' ? existing(resource, operation.from, operation.where) : undefined;
      copied += source ? (JSON.stringify(valueAt(source))?.length ?? 0) : 0;
      if (copied > MAX_COPIED) throw new Fault('too-large', 'The JSON Patch copies too much.', { code: 'too-costly' });
      APPLY[operation.op](resource, operation);
    }
    return expectExact(resource);
  };
}

/**
 * Whether the patch tells what the resource says without leaving a trace: it asks for it, or it can take back what it did.
 */
export function testsContent(body: readonly unknown[]): boolean {
  const ops = new Set(body.map((given) => (given as { op?: unknown } | null)?.op));
  return ops.has('test') || ops.has('copy') || ops.has('move') || (ops.has('add') && ops.has('remove'));
}

function readOperation(given: unknown, where: string): Operation {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refuse('Each operation of a JSON Patch is an object.', where);
  }
  const { op: name, path, from } = given as Record<string, unknown>;
  const op = OPERATIONS.find((known) => known === name);
  if (!op) throw refuse(`op must be one of ${OPERATIONS.join(', ')}.`, `${where}.op`);
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && !Object.hasOwn(given, 'value')) throw refuse(`${op} needs a value.`, `${where}.value`);
  const needsFrom = op === 'move' || op === 'copy';
  const operation: Operation = {
    op,
    path: parsePointer(path, `${where}.path`),
    from: needsFrom ? parsePointer(from, `${where}.from`) : [],
    given,
    where,
  };
  if (op !== 'test') refuseProtected(operation.path, `${where}.path`);
  if (op === 'move') refuseProtected(operation.from, `${where}.from`);
  return operation;
}

const APPLY = { add, remove, replace, move, copy, test } as const satisfies Record<Operation['op'], unknown>;

function add(resource: Resource, operation: Operation): void {
  const { given } = operation;
  put(targetIn(resource, operation), cloneExact(valueIn(given)), exactText(given, 'value'));
}

function replace(resource: Resource, { path, given, where }: Operation): void {
  const { holder, key } = existing(resource, path, where);
  setExact(holder, key, cloneExact(valueIn(given)), exactText(given, 'value'));
}

function remove(resource: Resource, { path, where }: Operation): void {
  take(existing(resource, path, where));
}

function copy(resource: Resource, operation: Operation): void {
  const source = existing(resource, operation.from, operation.where);
  put(targetIn(resource, operation), cloneExact(valueAt(source)), exactText(source.holder, source.key));
}

function move(resource: Resource, operation: Operation): void {
  const { from, path, where } = operation;
  if (from.length < path.length && from.every((token, index) => token === path[index])) {
    throw refuse(`${pointerOf(from)} cannot be moved into itself.`, where);
  }
  const source = existing(resource, from, where);
  const value = valueAt(source);
  const text = exactText(source.holder, source.key);
  take(source);
  put(targetIn(resource, operation), value, text);
}

function test(resource: Resource, { path, given, where }: Operation): void {
  const actual = path.length === 0 ? resource : valueAt(locateSpot(resource, path, where));
  if (sameValue(actual, valueIn(given))) return;
  throw refuse(`The test at ${pointerOf(path) || 'the root'} failed: the resource says something else.`, where);
}

/** @throws Fault unprocessable for the root, which would make it another resource */
function targetIn(resource: Resource, { path, where }: Operation): Spot {
  if (path.length > 0) return locateSpot(resource, path, where);
  throw refuse('The whole resource cannot be patched away; use PUT.', `${where}.path`);
}

/** The spot of something that is there. @throws Fault unprocessable when nothing is */
function existing(resource: Resource, tokens: readonly string[], where: string): Spot {
  const spot = tokens.length === 0 ? undefined : locateSpot(resource, tokens, where);
  if (spot && valueAt(spot) !== undefined) return spot;
  throw refuse(
    tokens.length === 0 ? 'The whole resource cannot be patched.' : `Nothing is at ${pointerOf(tokens)}.`,
    where,
  );
}

function put({ holder, key }: Spot, value: unknown, text: string | undefined): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 0, value);
  else setExact(holder, key, value, text);
}

function take({ holder, key }: Spot): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete (holder as Record<string, unknown>)[key];
}

const valueIn = (given: object) => (given as { value?: unknown }).value;
