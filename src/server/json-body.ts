// Bytes of a request body to JSON, refusing what would be unsafe or ambiguous to go on with: broken UTF-8, keys that
// reach into prototypes, keys that are there twice, and nesting so deep that walking it would exhaust the stack.
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';

/** FHIR resources nest a dozen levels; Questionnaires and extensions perhaps thirty. */
const MAX_DEPTH = 100;

/** Makes the instance take JSON bodies of the media types. */
export function acceptJson(server: FastifyInstance, mediaTypes: readonly string[]): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser(['application/json']);
  server.addContentTypeParser([...mediaTypes], { parseAs: 'buffer' }, (request: FastifyRequest, body, done) => {
    const bytes = body as Buffer;
    let members: number;
    try {
      members = checkBytes(bytes);
    } catch (error) {
      done(error as Fault);
      return;
    }
    parse(request, bytes.toString('utf8').replace(/^\uFEFF/, ''), (error, value: unknown) => {
      done(error ?? (membersOf(value) < members ? twice() : null), value);
    });
  });
}

/** Makes the instance take forms; the body is the list of name-value pairs in order. */
export function acceptForm(server: FastifyInstance): void {
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, body, done) => {
    const bytes = body as Buffer;
    if (isUtf8(bytes)) done(null, [...new URLSearchParams(bytes.toString('utf8'))]);
    else done(notUtf8());
  });
}

/** @returns the number of members of all objects, as written. @throws Fault invalid */
function checkBytes(bytes: Buffer): number {
  if (!isUtf8(bytes)) throw notUtf8();
  const { depth, members } = measure(bytes);
  if (depth > MAX_DEPTH) {
    throw new Fault('invalid', `The JSON is nested deeper than ${MAX_DEPTH} levels.`, { code: 'too-costly' });
  }
  return members;
}

const notUtf8 = () => new Fault('invalid', 'The body is not valid UTF-8.', { code: 'structure' });

/** Of two values under one name a parser keeps the last, and the client never learns which one counted. */
const twice = () =>
  new Fault('invalid', 'An object of the body has two members of the same name.', { code: 'structure' });

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

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, COLON] = Buffer.from('"\\{}[]:');

/** Deepest nesting of objects and arrays in JSON text, and the number of members, without parsing it. */
function measure(bytes: Buffer): { readonly depth: number; readonly members: number } {
  let members = 0;
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let position = 0; position < bytes.length; position += 1) {
    const byte = bytes[position];
    if (inString) {
      if (byte === BACKSLASH) position += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    else if (byte === COLON) members += 1;
  }
  return { depth: deepest, members };
}
