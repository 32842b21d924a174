// Between Fastify and the table of routes: turns a request into what a route asks for, and a view into an answer. Nothing
// below this file knows Fastify.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../../access/access.ts';
import { decide } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { stringifyExact } from '../../fhir/exact-json.ts';
import { isId } from '../../fhir/request-url.ts';
import { exchangeOf } from '../exchange-of.ts';
import type { FhirContext } from '../fhir/context.ts';
import { checkContentType } from '../fhir/negotiate.ts';
import { grantOf } from '../grant-of.ts';
import { acceptJson } from '../json-body.ts';
import { setPatientsShown } from '../patients-shown.ts';
import { factsOf, type RouteFacts } from '../route-facts.ts';
import { callerOf } from './caller-of.ts';
import { carryOut } from './carry-out.ts';
import { bodyCheck, type CheckInput, urlCheck } from './check-input.ts';
import { serveDocs } from './docs.ts';
import { etagOfView, isKnown } from './etag-of-view.ts';
import { type GrantedRecords, grantedRecords, type Pinned } from './granted-records.ts';
import { keyIn, sentBy } from './idempotency.ts';
import { knownCodes } from './known-codes.ts';
import { openApi } from './open-api.ts';
import { API_PATH } from './path.ts';
import { chosenRendering } from './rendering.ts';
import type { ApiRoute, CommandRoute, QueryRoute } from './route.ts';
import { API_ROUTES } from './routes.ts';
import { serveWorklistEvents, WORKLIST_EVENTS } from './worklist-events.ts';

export interface ApiParts {
  readonly context: FhirContext;
  readonly access: Pick<Access, 'authenticate'>;
  /** IANA time zone in which days begin and end here. */
  readonly zone: string;
  readonly baseUrl: () => string;
  /** Version of Baton. */
  readonly version: string;
}

const BODIES = ['application/json', 'application/merge-patch+json'];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Registers the API on `server`, whose prefix is the API's path. */
export async function registerApi(server: FastifyInstance, parts: ApiParts): Promise<void> {
  acceptJson(server, BODIES);
  server.addHook('onRequest', (request, _reply, done) => {
    const { takes } = factsOf(request);
    if (takes) checkContentType(request.headers, takes);
    done();
  });
  for (const [url, routes] of Object.entries(Object.groupBy(API_ROUTES, ({ path }) => path))) {
    const known = routes ?? [];
    for (const route of known) {
      server.route({ method: route.method, url, config: routeFacts(route), handler: handlerFor(route, parts) });
    }
    const allowed = known.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    for (const method of METHODS.filter((each) => !allowed.includes(each))) {
      server.route({ method, url, config: { interaction: 'unknown' }, handler: refuse(allowed) });
    }
  }
  await serveWorklistEvents(server, parts);
  const documented = [...API_ROUTES, WORKLIST_EVENTS];
  await serveDocs(server, () => openApi(documented, { baseUrl: parts.baseUrl(), version: parts.version }));
  server.setNotFoundHandler(() => {
    throw new Fault('not-found', 'There is nothing at this URL.', { code: 'not-supported' });
  });
}

function routeFacts({ method, name, reads }: ApiRoute): RouteFacts {
  const [type] = reads;
  return {
    interaction: name,
    action: method === 'GET' ? 'R' : 'E',
    ...(type === undefined ? {} : { type }),
    ...(method === 'GET' ? {} : { takes: BODIES }),
  };
}

function handlerFor(route: ApiRoute, parts: ApiParts) {
  const checkQuery = urlCheck(route.query ?? NO_MEMBERS);
  const isQuery = (each: ApiRoute): each is QueryRoute => each.method === 'GET';
  const answer = isQuery(route) ? answerQuery(route, parts) : answerCommand(route, parts);
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const grant = grantOf(request);
    const params = request.params as Record<string, string>;
    const bad = Object.values(params).some((each) => !isId(each));
    if (bad) throw new Fault('not-found', 'There is nothing at this URL: a part of its path is no id.');
    checkQuery(request.query);
    for (const type of route.reads) decide(grant, 'read', type);
    return answer({ request, reply, grant, params, query: request.query });
  };
}

const NO_MEMBERS = { type: 'object', additionalProperties: false } as const;

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly grant: Grant;
  readonly params: Record<string, string>;
  readonly query: unknown;
}

function answerQuery(route: QueryRoute, parts: ApiParts) {
  return async ({ request, reply, grant, params, query }: Asked) => {
    const { accept } = request.headers;
    const rendering = chosenRendering(accept, Object.keys(route.renderings ?? {}));
    const records = grantedRecords(parts.context, grant);
    const view = await route.run(askOf(parts, grant, records, { params, query, body: undefined }));
    setPatientsShown(request, [...records.patients]);
    if (view === undefined) throw new Fault('not-found', 'There is no such thing, or it is not open to who asks.');
    const render = rendering === undefined ? undefined : route.renderings?.[rendering];
    if (route.renderings) reply.header('vary', 'accept');
    if (render && rendering !== undefined) {
      const rendered = await render(view as never);
      const type = typeof rendered === 'string' ? `${rendering}; charset=utf-8` : rendering;
      return reply.header('cache-control', 'private, no-cache').header('content-type', type).send(rendered);
    }
    const text = stringifyExact(view as object);
    const etag = etagOfView(view, text);
    if (etag !== undefined) reply.header('etag', etag);
    if (etag !== undefined && isKnown(etag, request.headers['if-none-match'])) return reply.code(304).send();
    return sendJson(reply, text);
  };
}

function answerCommand(route: CommandRoute, parts: ApiParts) {
  const checkBody: CheckInput = bodyCheck(route.body ?? NO_MEMBERS);
  const checkCodes = knownCodes(parts.context.terminology);
  return async ({ request, reply, grant, params, query }: Asked) => {
    const body = request.body ?? {};
    checkBody(body);
    const key = keyIn(request.headers['idempotency-key']);
    const sent = sentBy(grant, key, [route.method, request.url, body]);
    checkCodes(body);
    const seen = new Set<string>();
    const plan = async () => {
      const records = grantedRecords(parts.context, grant);
      const planned = await route.plan(askOf(parts, grant, records, { params, query, body }));
      for (const patient of records.patients) seen.add(patient);
      return planned;
    };
    const done = await carryOut(parts.context, grant, { plan, sent, ifMatch: request.headers['if-match'] });
    if (done.replayed) reply.header('idempotency-replayed', 'true');
    const pinned: Pinned | undefined = done.replayed ? done : undefined;
    const records = grantedRecords(parts.context, grant, pinned);
    const view = await route.view(askOf(parts, grant, records, { params, query, body }), done);
    setPatientsShown(request, [...new Set([...seen, ...records.patients])]);
    reply.code(view === undefined && done.status === 200 ? 204 : done.status);
    if (view === undefined) return reply.send();
    const text = stringifyExact(view as object);
    const etag = etagOfView(view, text);
    if (etag !== undefined) reply.header('etag', etag);
    const location = done.status === 201 ? locationOf(route, params, view) : undefined;
    if (location !== undefined) reply.header('location', location);
    return sendJson(reply, text);
  };
}

function askOf(
  { context, zone }: ApiParts,
  grant: Grant,
  records: GrantedRecords,
  given: { readonly params: Record<string, string>; readonly query: unknown; readonly body: unknown },
) {
  const caller = callerOf(grant, { clock: context.clock, zone });
  const { artefacts: installed, pathways, panels, evidence } = context;
  const exchange = exchangeOf(context, grant);
  const supplied = { records, caller, installed, pathways, panels, evidence, exchange };
  return { ...supplied, ...given } as unknown as Parameters<CommandRoute['plan']>[0];
}

/** Where the new thing can be read, when there is a route that reads one of its kind. */
function locationOf({ path }: ApiRoute, params: Record<string, string>, view: unknown): string | undefined {
  const { id } = view as { id?: unknown };
  const isThere = API_ROUTES.some(
    (route) => route.method === 'GET' && /^\/:\w+$/.test(route.path.slice(path.length)) && route.path.startsWith(path),
  );
  if (typeof id !== 'string' || !isThere) return undefined;
  return `${API_PATH}${path.replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? '')}/${id}`;
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  // Shared caches keep no health data; a client may keep its own copy and ask with If-None-Match.
  return reply
    .header('cache-control', 'private, no-cache')
    .header('content-type', 'application/json; charset=utf-8')
    .send(text);
}

function refuse(allowed: readonly string[]) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('allow', allowed.join(', '));
    throw new Fault('not-allowed', `${request.method} does not apply here; ${allowed.join(', ')} does.`);
  };
}
