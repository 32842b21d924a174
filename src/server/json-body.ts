// Bytes of a request body to JSON, refusing what would be unsafe or ambiguous to go on with: broken UTF-8, keys that
// reach into prototypes, and nesting so deep that walking it would exhaust the stack.
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
    try {
      checkBytes(bytes);
    } catch (error) {
      done(error as Fault);
      return;
    }
    parse(request, bytes.toString('utf8').replace(/^\uFEFF/, ''), done);
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

function checkBytes(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw notUtf8();
  if (depthOf(bytes) > MAX_DEPTH) {
    throw new Fault('invalid', `The JSON is nested deeper than ${MAX_DEPTH} levels.`, { code: 'too-costly' });
  }
}

const notUtf8 = () => new Fault('invalid', 'The body is not valid UTF-8.', { code: 'structure' });

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = Buffer.from('"\\{}[]');

/** Deepest nesting of objects and arrays in JSON text, without parsing it. */
function depthOf(bytes: Buffer): number {
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
  }
  return deepest;
}
