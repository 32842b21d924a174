// Between Fastify and the FHIR interactions: registers the table of routes, turns a request into FHIR's terms and sends
// the answer. Nothing below this file knows Fastify.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ANONYMOUS } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { parseExact, stringifyExact } from '../../fhir/exact-json.ts';
import { type Pairs, pairsOf } from '../../fhir/request-url.ts';
import { findGrant } from '../grant-of.ts';
import { acceptForm, acceptJson, FormBody } from '../json-body.ts';
import { setPatientsShown } from '../patients-shown.ts';
import { factsOf } from '../route-facts.ts';
import { checkPath } from './check-path.ts';
import { type Answer, FHIR_JSON, type FhirContext } from './context.ts';
import { checkAccept, checkContentType } from './negotiate.ts';
import { type FhirRoute, METHODS, PATCH_TYPES } from './route.ts';
import { FHIR_ROUTES } from './routes.ts';

/** Registers FHIR on `server`, whose prefix is the FHIR base path. */
export function registerFhir(server: FastifyInstance, context: FhirContext): void {
  acceptJson(server, PATCH_TYPES);
  acceptForm(server);
  server.addHook('onRequest', (request, _reply, done) => {
    checkAccept(request.headers.accept, queryOf(request));
    const { takes } = factsOf(request);
    if (takes) checkContentType(request.headers, takes);
    done();
  });
  for (const [url, routes] of Object.entries(FHIR_ROUTES)) {
    const allowed = METHODS.filter((method) => routes[method]).flatMap((method) =>
      method === 'GET' ? ['GET', 'HEAD'] : [method],
    );
    allowed.push('OPTIONS');
    server.route({ method: 'OPTIONS', url, config: { open: true }, handler: tellAllowed(allowed) });
    for (const method of METHODS) {
      const route = routes[method];
      if (route) server.route({ method, url, config: route.facts, handler: handlerFor(route, context) });
      else server.route({ method, url, config: { interaction: 'unknown' }, handler: refuse(allowed) });
    }
  }
  server.setNotFoundHandler(() => {
    throw new Fault('not-found', 'There is nothing at this URL.', { code: 'not-supported' });
  });
}

function handlerFor({ handler }: FhirRoute, context: FhirContext) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const params = request.params as Record<string, string>;
    checkPath(params, context.isType);
    const inUrl = queryOf(request);
    const pairs = request.body instanceof FormBody ? withForm(request, inUrl, request.body) : inUrl;
    // Only /metadata is reached without a grant, and it asks for none.
    const grant = findGrant(request) ?? { ...ANONYMOUS, scopes: { resources: [], doors: new Set<never>() } };
    const answer = await handler(context, { grant, params, pairs, headers: request.headers, body: request.body });
    if (answer.patients) setPatientsShown(request, answer.patients);
    return send(reply, answer, pairs);
  };
}

/** @throws Fault not-acceptable when the form asks for another format */
function withForm(request: FastifyRequest, inUrl: Pairs, form: FormBody): Pairs {
  checkAccept(request.headers.accept, [...inUrl, ...form.pairs]);
  return [...inUrl, ...form.pairs];
}

function send(reply: FastifyReply, { status, headers, body }: Answer, pairs: Pairs): FastifyReply {
  reply.code(status);
  if (headers) reply.headers(headers);
  if (body === undefined) return reply.send();
  const pretty = pairs.length > 0 && pairs.some(([name, value]) => name === '_pretty' && value === 'true');
  // Shared caches keep no health data; a client may keep its own copy and ask with If-None-Match.
  reply.header('cache-control', 'private, no-cache');
  return reply.header('content-type', FHIR_JSON).send(pretty ? stringifyExact(parseExact(body), 2) : body);
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-9.3.7 */
function tellAllowed(allowed: readonly string[]) {
  return async (_: FastifyRequest, reply: FastifyReply) =>
    reply
      .code(204)
      .header('allow', allowed.join(', '))
      .header('accept-patch', PATCH_TYPES.slice(0, 2).join(', '))
      .send();
}

function refuse(allowed: readonly string[]) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('allow', allowed.join(', '));
    throw new Fault('not-allowed', `${request.method} does not apply here; ${allowed.join(', ')} does.`);
  };
}

const NO_PAIRS: Pairs = [];

function queryOf(request: FastifyRequest): Pairs {
  const mark = request.url.indexOf('?');
  return mark < 0 ? NO_PAIRS : pairsOf(request.url.slice(mark + 1));
}
