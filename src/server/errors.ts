// Every failing request ends here: a Fault, or whatever else was thrown, becomes an OperationOutcome with the right status
// and headers, or below the case-management API a problem that carries it.
// https://hl7.org/fhir/R4/http.html#Status-Codes
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { asFault, FAULTS, Fault, type FaultKind, outcomeOf, traceOf } from '../fault.ts';
import { API_PATH } from './api/path.ts';
import { FHIR_JSON } from './fhir/context.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';

/** Fastify's and its plugins' own errors that a client has caused. */
const KINDS: Readonly<Record<string, readonly [FaultKind, string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid', 'The body is not JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid', 'The body is empty.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid', 'The body is not as long as its Content-Length says.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', 'The body is larger than this server takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'media-type',
    'The body must say what it is: Content-Type: application/fhir+json or application/json.',
  ],
  FST_ERR_MAX_PARAM_LENGTH: ['not-found', 'There is nothing at this URL: a part of its path is too long.'],
  FST_ERR_BAD_URL: ['invalid', 'The URL has a broken percent-encoding.'],
  FST_CP_ERR_INVALID_CONTENT_ENCODING: ['media-type', 'The Content-Encoding of the body is not one this server knows.'],
  FST_CP_ERR_INVALID_CONTENT: ['invalid', 'The compressed body is damaged.'],
};

const BELOW_API = new RegExp(`^${API_PATH}(?:[/?]|$)`);

const BY_STATUS: Readonly<Record<number, FaultKind>> = {
  400: 'invalid',
  404: 'not-found',
  405: 'not-allowed',
  408: 'timeout',
  413: 'too-large',
  415: 'media-type',
  429: 'throttled',
  503: 'unavailable',
};

/** Anything thrown while a request was handled, as a Fault whose sentence may be sent. */
function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? KINDS[code] : undefined;
  if (known)
    return new Fault(known[0], known[1], { cause: error, code: known[0] === 'invalid' ? 'structure' : undefined });
  const kind = typeof statusCode === 'number' ? BY_STATUS[statusCode] : undefined;
  if (kind) return new Fault(kind, 'The request could not be understood.', { cause: error });
  return asFault(error);
}

/** Sends the OperationOutcome or the problem of a failure, and logs it without anything the request contained. */
export function sendFault(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const fault = faultOf(error);
  const level = FAULTS[fault.kind].log;
  const cause = fault.kind === 'fault' ? traceOf(fault.cause ?? fault) : {};
  log[level]({ requestId: request.id, kind: fault.kind, status: fault.status, ...fault.context, ...cause }, 'refused');
  if (fault.status === 401) reply.header('www-authenticate', challenge(request, fault));
  if (fault.status === 403) reply.header('www-authenticate', insufficientScope(fault));
  if (fault.status === 429 || fault.status === 503) {
    const given = reply.getHeader('retry-after') ?? fault.context?.retryAfterSeconds;
    reply.header('retry-after', String(given ?? 1));
  }
  const shown = fault.kind === 'fault' ? asFault(undefined) : fault;
  const isApi = BELOW_API.test(request.url);
  reply
    .code(fault.status)
    .header('content-type', isApi ? PROBLEM_JSON : FHIR_JSON)
    .send(JSON.stringify(isApi ? problemOf(shown, request.id) : outcomeOf(shown)));
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function challenge(request: FastifyRequest, fault: Fault): string {
  const realm = 'Bearer realm="baton"';
  const isTokenGiven = request.headers.authorization !== undefined || fault.context?.tokenIn !== undefined;
  return isTokenGiven ? `${realm}, error="invalid_token"` : realm;
}

function insufficientScope(fault: Fault): string {
  const scope = fault.context?.scope;
  const wanted = typeof scope === 'string' && /^[\w./*$-]+$/.test(scope) ? `, scope="${scope}"` : '';
  return `Bearer realm="baton", error="insufficient_scope"${wanted}`;
}
