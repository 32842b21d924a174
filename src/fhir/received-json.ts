// JSON from a server that nobody here vouches for. What is unsafe or ambiguous to go on with is found resource by resource,
// so that one bad entry of a Bundle does not cost the others: names that are there twice or reach into prototypes, half
// characters, numbers beyond any quantity, and nesting so deep that walking it would exhaust the stack.
import { expectExact, keepExact } from './exact-json.ts';
import { elementsOf } from './json-slices.ts';
import { traitsOf } from './json-traits.ts';

export interface Damage {
  /** One sentence without content. */
  readonly why: string;
  /** The text as it was received. */
  readonly raw: string;
}

const DAMAGE = Symbol('damage');

type Marked = object & { [DAMAGE]?: Damage };

/** FHIR resources nest a dozen levels; Questionnaires and extensions perhaps thirty. */
const MAX_DEPTH = 100;
/** Around the resource of an entry: the Bundle, its list, and the entry. */
const BUNDLE_DEPTH = 3;

/** Why the resource must not be used; undefined when nothing is wrong with it. Ask before looking at anything else. */
export function damageOf(resource: object): Damage | undefined {
  return (resource as Marked)[DAMAGE];
}

/**
 * Parses an answer. A damaged resource, alone or in an entry, becomes a bare `{resourceType, id}` that `damageOf` knows.
 * @throws SyntaxError when it is not JSON
 */
export function parseReceived(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return value;
  if (problemOf(text, value, MAX_DEPTH + BUNDLE_DEPTH) === undefined) return value;
  const entries = 'entry' in value && Array.isArray(value.entry) ? value.entry : undefined;
  const slices = entries && elementsOf(text, 'entry');
  if (!entries || slices?.length !== entries.length) return damaged(value, text, problemOf(text, value, MAX_DEPTH));
  const frame = { ...value, entry: entries.map((entry, index) => entryOf(entry, slices[index] ?? '')) };
  return expectExact(frame);
}

function entryOf(entry: unknown, text: string): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  const why = problemOf(text, entry, MAX_DEPTH + 1);
  if (why === undefined) return entry;
  const resource = 'resource' in entry && typeof entry.resource === 'object' ? entry.resource : {};
  const search = 'search' in entry && problemIn(entry.search) === undefined ? { search: entry.search } : {};
  return { ...search, resource: damaged(resource ?? {}, text, why) };
}

/** A stand-in for a resource that must not be used; `damageOf` says why. */
export function damaged(resource: object, raw: string, why = 'The JSON is damaged.'): object {
  const { resourceType, id } = resource as { resourceType?: unknown; id?: unknown };
  const bare = {
    ...(typeof resourceType === 'string' ? { resourceType } : {}),
    ...(typeof id === 'string' ? { id } : {}),
  };
  return Object.defineProperty(bare, DAMAGE, { value: { why, raw } satisfies Damage });
}

/** What is wrong with a parsed text. Puts the digits of its decimals beside it when nothing is. */
function problemOf(text: string, value: object, maxDepth: number): string | undefined {
  const { depth, members, oddEscapes, decimals } = traitsOf(Buffer.from(text));
  if (depth > maxDepth) return `The JSON is nested deeper than ${MAX_DEPTH} levels.`;
  const survey: Survey = { members: 0, reaching: false };
  look(value, survey);
  if (survey.members < members) return 'An object has two members of the same name.';
  if (survey.reaching) return 'A member has a name that no FHIR element has, and that is not safe to keep.';
  if (oddEscapes && !isOfCharacters(value)) return 'A text has half of a surrogate pair or a control character in it.';
  if (!decimals) return undefined;
  try {
    keepExact(text, value);
    return undefined;
  } catch {
    return 'A number is larger than any quantity: its exponent is too high.';
  }
}

/** For a part that is kept although what is around it is damaged. */
function problemIn(part: unknown): string | undefined {
  if (typeof part !== 'object' || part === null) return undefined;
  return problemOf(JSON.stringify(part), part, MAX_DEPTH);
}

interface Survey {
  members: number;
  reaching: boolean;
}

const REACHING = new Set(['__proto__', 'constructor', 'prototype']);

function look(value: object, survey: Survey): void {
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) look(item, survey);
    return;
  }
  const record = value as Record<string, unknown>;
  // This runs over everything that is received: no list of pairs is made for each object.
  for (const name of Object.keys(record)) {
    survey.members += 1;
    if (REACHING.has(name)) survey.reaching = true;
    const child = record[name];
    if (typeof child === 'object' && child !== null) look(child, survey);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

function isOfCharacters(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !CONTROL.test(value);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, child]) => isOfCharacters(key) && isOfCharacters(child));
}
