// A token belongs into one Authorization header. In a URL it ends up in logs, histories and audit trails; of two headers
// Node keeps the first and a proxy in front of it perhaps the second.
// https://www.rfc-editor.org/rfc/rfc6750#section-2
import type { FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import type { Pairs } from '../fhir/request-url.ts';

const PARAMETER = 'access_token';
const HEADER = 'authorization';

/**
 * Takes a token out of the request's URL, so that nothing that runs later can write it down, and refuses the request.
 * @throws Fault unauthenticated
 */
export function refuseMisplacedToken(request: FastifyRequest): void {
  const { raw } = request;
  const url = raw.url ?? '';
  const mark = url.indexOf('?');
  if (mark >= 0 && namesToken(url.slice(mark + 1))) {
    raw.url = url.slice(0, mark);
    request.query = {};
    throw misplaced('url');
  }
  if (countOf(raw.rawHeaders) > 1) throw new Fault('unauthenticated', 'There is more than one Authorization header.');
}

/** @throws Fault unauthenticated */
export function refuseTokenInForm(pairs: Pairs): void {
  if (pairs.some(([name]) => name === PARAMETER)) throw misplaced('form');
}

function namesToken(query: string): boolean {
  // Only a name that is written plainly or with percent-encoding can be it.
  if (!query.includes(PARAMETER) && !query.includes('%')) return false;
  return new URLSearchParams(query).has(PARAMETER);
}

function countOf(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === HEADER.length && name.toLowerCase() === HEADER) count += 1;
  }
  return count;
}

const misplaced = (tokenIn: string) =>
  new Fault('unauthenticated', 'The token must be sent as Authorization: Bearer <token>, not as a parameter.', {
    context: { tokenIn },
  });
