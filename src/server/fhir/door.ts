// Between Fastify and the FHIR interactions: registers the table of routes, turns a request into FHIR's terms and sends
// the answer. Nothing below this file knows Fastify.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ANONYMOUS } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { type Pairs, pairsOf } from '../../fhir/request-url.ts';
import { findGrant } from '../grant-of.ts';
import { acceptForm, acceptJson } from '../json-body.ts';
import { factsOf } from '../route-facts.ts';
import { type Answer, FHIR_JSON, type FhirContext } from './context.ts';
import { checkAccept, checkContentType } from './negotiate.ts';
import { FHIR_ROUTES, type FhirRoute, JSON_TYPES, METHODS } from './routes.ts';

/** Registers FHIR on `server`, whose prefix is the FHIR base path. */
export function registerFhir(server: FastifyInstance, context: FhirContext): void {
  acceptJson(server, JSON_TYPES);
  acceptForm(server);
  server.addHook('onRequest', async (request) => {
    checkAccept(request.headers.accept, queryOf(request));
    const { takes } = factsOf(request);
    if (takes) checkContentType(request.headers, takes);
  });
  for (const [url, routes] of Object.entries(FHIR_ROUTES)) {
    const allowed = METHODS.filter((method) => routes[method]);
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
    const pairs = Array.isArray(request.body) ? [...inUrl, ...(request.body as Pairs)] : inUrl;
    // Only /metadata is reached without a grant, and it asks for none.
    const grant = findGrant(request) ?? { ...ANONYMOUS, scopes: { resources: [], doors: new Set<never>() } };
    const answer = await handler(context, { grant, params, pairs, headers: request.headers, body: request.body });
    return send(reply, answer, pairs);
  };
}

function send(reply: FastifyReply, { status, headers, body }: Answer, pairs: Pairs): FastifyReply {
  reply.code(status);
  if (headers) reply.headers(headers);
  if (body === undefined) return reply.send();
  const pretty = pairs.length > 0 && pairs.some(([name, value]) => name === '_pretty' && value === 'true');
  // Shared caches keep no health data; a client may keep its own copy and ask with If-None-Match.
  reply.header('cache-control', 'private, no-cache');
  return reply.header('content-type', FHIR_JSON).send(pretty ? JSON.stringify(JSON.parse(body), null, 2) : body);
}

function refuse(allowed: readonly string[]) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('allow', allowed.join(', '));
    throw new Fault('not-allowed', `${request.method} does not apply here; ${allowed.join(', ')} does.`);
  };
}

/** Resource types are part of the path, so an unknown one is a 404. https://hl7.org/fhir/R4/http.html#read */
function checkPath({ type, id, target }: Readonly<Record<string, string>>, isType: (type: string) => boolean): void {
  for (const segment of [type, id, target]) {
    if (segment?.startsWith('$')) {
      throw new Fault('not-found', 'This operation is not offered here.', { code: 'not-supported' });
    }
  }
  if (type !== undefined && !isType(type)) {
    throw new Fault('not-found', 'The URL does not start with a resource type of FHIR R4.', { code: 'not-supported' });
  }
  if (target !== undefined && (type !== 'Patient' || !isType(target))) {
    throw new Fault('not-found', 'Only Patient/{id}/{type} compartments are offered.', { code: 'not-supported' });
  }
}

const NO_PAIRS: Pairs = [];

function queryOf(request: FastifyRequest): Pairs {
  const mark = request.url.indexOf('?');
  return mark < 0 ? NO_PAIRS : pairsOf(request.url.slice(mark + 1));
}
