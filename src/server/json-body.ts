// Bytes of a request body to JSON, refusing what would be unsafe or ambiguous to go on with: broken UTF-8, half
// characters, keys that reach into prototypes, keys that are there twice, and nesting so deep that walking it would exhaust
// the stack. Decimals keep the digits they came with.
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import { keepExact } from '../fhir/exact-json.ts';
import { type JsonTraits, traitsOf } from '../fhir/json-traits.ts';
import { type Pairs, pairsOf } from '../fhir/request-url.ts';
import { refuseTokenInForm } from './misplaced-token.ts';

/** FHIR resources nest a dozen levels; Questionnaires and extensions perhaps thirty. */
const MAX_DEPTH = 100;

/** Makes the instance take JSON bodies of the media types. */
export function acceptJson(server: FastifyInstance, mediaTypes: readonly string[]): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser(['application/json']);
  server.addContentTypeParser([...mediaTypes], { parseAs: 'buffer' }, (request: FastifyRequest, body, done) => {
    const bytes = body as Buffer;
    let traits: JsonTraits;
    try {
      traits = checkBytes(bytes);
    } catch (error) {
      done(error as Fault);
      return;
    }
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
    parse(request, text, (error, value: unknown) => done(error ?? problemOf(value, text, traits), value));
  });
}

/** A form that was sent: name-value pairs in order. */
export class FormBody {
  readonly pairs: Pairs;

  constructor(pairs: Pairs) {
    this.pairs = pairs;
  }
}

/** Makes the instance take forms; the body is a FormBody. */
export function acceptForm(server: FastifyInstance): void {
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, body, done) => {
    const bytes = body as Buffer;
    try {
      if (!isUtf8(bytes)) throw notUtf8();
      const pairs = pairsOf(bytes.toString('utf8'));
      refuseTokenInForm(pairs);
      done(null, new FormBody(pairs));
    } catch (error) {
      done(error as Fault);
    }
  });
}

/** @throws Fault invalid */
function checkBytes(bytes: Buffer): JsonTraits {
  if (!isUtf8(bytes)) throw notUtf8();
  const traits = traitsOf(bytes);
  if (traits.depth > MAX_DEPTH) {
    throw new Fault('invalid', `The JSON is nested deeper than ${MAX_DEPTH} levels.`, { code: 'too-costly' });
  }
  return traits;
}

/** What is wrong with the parsed value; null when nothing is. Also puts the digits of decimals beside it. */
function problemOf(value: unknown, text: string, { members, oddEscapes, decimals }: JsonTraits): Fault | null {
  if (membersOf(value) < members) return twice();
  const odd = oddEscapes ? placeOfOdd(value) : undefined;
  if (odd !== undefined) return noCharacter(odd);
  if (!decimals) return null;
  try {
    keepExact(text, value);
    return null;
  } catch (error) {
    return error as Fault;
  }
}

const notUtf8 = () => new Fault('invalid', 'The body is not valid UTF-8.', { code: 'structure' });

/** Of two values under one name a parser keeps the last, and the client never learns which one counted. */
const twice = () =>
  new Fault('invalid', 'An object of the body has two members of the same name.', { code: 'structure' });

/** Half of a surrogate pair is no character of Unicode; FHIR allows no control character but tab and line ends. */
const noCharacter = (expression: string) =>
  new Fault('invalid', 'A text of the body has half of a surrogate pair or a control character in it.', {
    code: 'value',
    ...(expression === '' ? {} : { expression }),
  });

/** Members of all objects in the value: fewer than were written when a name was written twice. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += membersOf(item);
    return members;
  }
  for (const child of Object.values(value)) members += 1 + membersOf(child);
  return members;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f]/;

const isOfCharacters = (text: string) => text.isWellFormed() && !CONTROL.test(text);

/** `Patient.name[0].family`, of a name that is odd the object that has it; '' for the body itself; undefined when all is right. */
function placeOfOdd(value: unknown): string | undefined {
  const type = (value as { readonly resourceType?: unknown } | null)?.resourceType;
  return oddWithin(value, typeof type === 'string' && /^[A-Za-z]+$/.test(type) ? type : '');
}

function oddWithin(value: unknown, place: string): string | undefined {
  if (typeof value === 'string') return isOfCharacters(value) ? undefined : place;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    if (!isOfCharacters(key)) return place;
    const inside = Array.isArray(value) ? `${place}[${key}]` : place === '' ? key : `${place}.${key}`;
    const odd = oddWithin(child, inside);
    if (odd !== undefined) return odd;
  }
  return undefined;
}
