// An external FHIR server for tests: real Fastify on a real socket, versions and searches like a plain R4 server, and knobs
// for everything that goes wrong between two servers.
import { createHash, randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, Parameters, Patient, Resource } from '@medplum/fhirtypes';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { historyOf, type Version } from './fake-remote-history.ts';
import {
  categoriesOf,
  DEFAULTS,
  httpDate,
  identifiersOf,
  isLike,
  type Knobs,
  normalised,
  patientOf,
  statementOf,
  subset,
} from './fake-remote-knobs.ts';

export interface Stored {
  resource: Resource & { id: string };
  version: number;
  hidden: boolean;
}

export interface FakeRemote {
  readonly baseUrl: string;
  readonly knobs: Knobs;
  /** `METHOD path` of every request, metadata excluded. */
  readonly requests: { method: string; url: string; headers: Record<string, unknown>; body: unknown }[];
  /** `accepted`: the tokens that open it, where it asks for one. */
  readonly tokens: { issued: number; asked: number; readonly accepted: Set<string> };
  /** The server's clock, milliseconds since 1970. */
  now: number;
  all(type: string): (Resource & { id: string })[];
  /** Writes like another client of the server does. */
  put(resource: Resource, options?: { lastUpdated?: string }): Resource & { id: string };
  remove(type: string, id: string): void;
  /** Loses everything, as when a server is set up anew. */
  wipe(): void;
  /** Makes everything visible that `hideNew` hid. */
  reveal(): void;
  /** Writes that were asked for: POST, PUT, DELETE. */
  writes(): string[];
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  readonly issue: object;
  constructor(status: number, message: string, issue: object = { code: 'processing' }) {
    super(message);
    this.status = status;
    this.issue = issue;
  }
}

/** @param extend adds more routes */
export async function startFakeRemote(
  knobs: Partial<Knobs> = {},
  extend?: (app: FastifyInstance, remote: FakeRemote) => void,
): Promise<FakeRemote> {
  const app = fastify({ logger: false, bodyLimit: 10_000_000, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const stored = new Map<string, Stored>();
  const deleted = new Set<string>();
  const versions: Version[] = [];
  const accepted = new Set<string>();
  /** Newest version number, of what is deleted, too. */
  const numbers = new Map<string, number>();
  const state: FakeRemote = {
    baseUrl: '',
    knobs: { ...structuredClone(DEFAULTS), ...knobs, refusals: [...(knobs.refusals ?? [])] },
    requests: [],
    tokens: { issued: 0, asked: 0, accepted },
    now: Temporal.Instant.from('2026-11-24T12:00:00Z').epochMilliseconds,
    all: (type) =>
      [...stored.values()].map(({ resource }) => resource).filter((resource) => resource.resourceType === type),
    put: (resource, options = {}) => write(resource, resource.id ?? randomUUID(), options.lastUpdated).resource,
    remove(type, id) {
      stored.delete(`${type}/${id}`);
      deleted.add(`${type}/${id}`);
      state.now += 1;
      versions.push({ type, id, at: instant() });
    },
    wipe() {
      stored.clear();
      versions.length = 0;
      numbers.clear();
    },
    reveal() {
      for (const one of stored.values()) one.hidden = false;
    },
    writes: () => state.requests.filter(({ method }) => method !== 'GET').map(({ method, url }) => `${method} ${url}`),
    close: () => app.close(),
  };

  const instant = () =>
    Temporal.Instant.fromEpochMilliseconds(state.now).toString({
      smallestUnit: state.knobs.secondPrecision ? 'second' : 'millisecond',
    });

  function write(resource: Resource, id: string, lastUpdated?: string): Stored {
    const key = `${resource.resourceType}/${id}`;
    state.now += 1;
    const now = instant();
    const version = (numbers.get(key) ?? 0) + 1;
    numbers.set(key, version);
    const body = state.knobs.normalise ? normalised(resource) : structuredClone(resource);
    for (const element of state.knobs.forgets) Reflect.deleteProperty(body, element);
    const meta = { ...body.meta, versionId: String(version), lastUpdated: lastUpdated ?? now };
    const one: Stored = { resource: { ...body, id, meta }, version, hidden: state.knobs.hideNew };
    stored.set(key, one);
    deleted.delete(key);
    versions.push({ type: resource.resourceType, id, resource: one.resource, at: meta.lastUpdated });
    return one;
  }

  function matches(resource: Resource, parameters: URLSearchParams): boolean {
    for (const [name, value] of parameters) {
      if (name === 'identifier' && !value.split(',').some((token) => identifiersOf(resource).includes(token)))
        return false;
      if (name === '_id' && !value.split(',').includes(String(resource.id))) return false;
      if ((name === 'patient' || name === 'subject') && patientOf(resource) !== value) return false;
      if (name === 'category' && !categoriesOf(resource).includes(value.split('|').at(-1) ?? '')) return false;
      if (['family', 'given', 'birthdate'].includes(name) && !isLike(resource, name, value)) return false;
      if (name === 'date' && 'date' in resource && String(resource.date) < value.replace(/^ge/, '')) return false;
      if (name === '_lastUpdated' && !isWithin(String(resource.meta?.lastUpdated), value)) return false;
    }
    return true;
  }

  const isWithin = (at: string, bound: string) => {
    const instant = precise(bound.replace(/^[gl]e/, ''));
    return bound.startsWith('le') ? at <= instant : at >= instant;
  };
  const precise = (instant: string) =>
    Temporal.Instant.from(instant).toString({ smallestUnit: state.knobs.secondPrecision ? 'second' : 'millisecond' });

  /** Says no as the vendors do. */
  function admit(type: string, parameters: URLSearchParams): void {
    const { knobs } = state;
    const patient = parameters.get('patient');
    const coded = (code: string) => ({ code: 'forbidden', details: { coding: [{ code }] } });
    if (knobs.notGranted.includes(type)) throw new Refusal(403, 'Not granted.', { code: 'forbidden' });
    if (patient !== null && knobs.restrictedPatients.includes(patient)) throw new Refusal(403, 'Glass.', coded('4130'));
    const needsPatient = knobs.lastUpdated === 'with-patient' && patient === null;
    if (parameters.has('_lastUpdated') && (knobs.lastUpdated === false || needsPatient))
      throw new Refusal(400, '_lastUpdated is not known.', { code: 'not-supported' });
    const categories = knobs.requiredCategories[type];
    const category = parameters.get('category')?.split('|').at(-1);
    if (categories && category === undefined) throw new Refusal(400, 'category is required.', { code: 'required' });
    if (categories && !categories.includes(category ?? ''))
      throw new Refusal(400, 'No such category.', { code: 'value' });
    if (knobs.breakPages && parameters.has('_offset')) throw new Refusal(404, 'The page is gone.');
  }

  function search(type: string, parameters: URLSearchParams): Bundle {
    admit(type, parameters);
    const found = state
      .all(type)
      .filter((resource) => !stored.get(`${type}/${resource.id}`)?.hidden && matches(resource, parameters))
      .sort((a, b) => (String(a.meta?.lastUpdated) < String(b.meta?.lastUpdated) ? -1 : 1));
    const { pageSize, repeatAcrossPages, sameNext, nextOrigin } = state.knobs;
    const offset = Number(parameters.get('_offset') ?? 0);
    const from = repeatAcrossPages && offset > 0 ? offset - 1 : offset;
    const next = new URLSearchParams(parameters);
    next.set('_offset', String(sameNext ? offset || pageSize : offset + pageSize));
    const origin = nextOrigin === '' ? state.baseUrl : nextOrigin;
    const more = offset + pageSize < found.length || sameNext;
    const elements = state.knobs.elements ? parameters.get('_elements') : null;
    const entry = found.slice(from, offset + pageSize).map((resource): BundleEntry => {
      return { resource: elements === null ? resource : subset(resource, elements), search: { mode: 'match' } };
    });
    const warning = state.knobs.warnings[type];
    if (warning !== undefined) entry.push({ resource: warningOf(warning), search: { mode: 'outcome' } });
    return {
      resourceType: 'Bundle',
      id: randomUUID(),
      type: 'searchset',
      link: more ? [{ relation: 'next', url: `${origin}/${type}?${next}` }] : [],
      entry,
    };
  }

  function warningOf(code: string): Resource {
    const details = { coding: [{ code }] };
    return { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'processing', details }] };
  }

  function create(type: string, body: Resource, ifNoneExist: string | undefined): { status: number; one: Stored } {
    if (ifNoneExist && state.knobs.conditionalCreate) {
      const found = state.all(type).filter((resource) => matches(resource, new URLSearchParams(ifNoneExist)));
      if (found.length > 1) throw new Refusal(412, 'Several match.');
      const one = found[0] && stored.get(`${type}/${found[0].id}`);
      if (one) return { status: 200, one };
    }
    return { status: 201, one: write(body, String(stored.size + deleted.size + 1)) };
  }

  function answer(reply: FastifyReply, status: number, { resource, version }: Stored): FastifyReply {
    if (state.knobs.versioning) void reply.header('etag', `W/"${version}"`);
    void reply.header('location', `${state.baseUrl}/${resource.resourceType}/${resource.id}/_history/${version}`);
    return reply.code(status).send(resource);
  }

  /** Breaks the socket around the effect of a write, when the knob says so. */
  function effect<T>(request: FastifyRequest, work: () => T): T {
    const drop = state.knobs.dropWrite;
    state.knobs.dropWrite = undefined;
    if (drop === 'before') request.raw.socket.destroy();
    if (drop === 'before') throw new Refusal(500, 'dropped');
    const result = work();
    if (drop === 'after') request.raw.socket.destroy();
    return result;
  }

  app.addHook('onRequest', async (request, reply) => {
    void reply.header('content-type', 'application/fhir+json');
    if (state.knobs.dates) void reply.header('date', httpDate(state.now));
    else reply.raw.sendDate = false;
    if (request.url === '/token' || request.url.includes('.well-known')) return;
    const refusal = request.url.endsWith('/metadata') ? undefined : state.knobs.refusals.shift();
    if (refusal) {
      await reply
        .headers(refusal.headers ?? {})
        .code(refusal.status)
        .send(refusal.body ?? '{"resourceType":"OperationOutcome","issue":[]}');
      return;
    }
    const token = String(request.headers.authorization ?? '').replace('Bearer ', '');
    if (state.knobs.requireToken && !accepted.has(token)) throw new Refusal(401, 'No token.');
  });
  app.addHook('preSerialization', async (_request, _reply, payload) =>
    state.knobs.metaVersions ? payload : withoutVersions(payload),
  );
  app.addHook('preHandler', async ({ method, url, headers, body }) => {
    if (!url.endsWith('/metadata')) state.requests.push({ method, url: url.replace('/fhir', ''), headers, body });
    const type = /^\/fhir\/([A-Za-z]+)/.exec(url)?.[1] ?? '';
    if ([...state.knobs.lost, ...state.knobs.denied].includes(type)) {
      throw new Refusal(404, `There is no ${type}.`, { code: 'not-supported' });
    }
    if (method !== 'GET') await state.knobs.beforeWrite?.();
  });
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof Refusal ? error.status : 500;
    const issue = error instanceof Refusal ? error.issue : { code: 'exception' };
    const text = error instanceof Error ? error.message : 'unknown';
    return reply.code(status).send({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', details: { text }, ...issue }],
    });
  });

  app.get('/fhir/.well-known/smart-configuration', () => ({
    token_endpoint: state.baseUrl.replace('/fhir', '/token'),
    token_endpoint_auth_signing_alg_values_supported: state.knobs.algorithms,
  }));
  app.post('/token', async (request, reply) => {
    state.tokens.asked += 1;
    const form = new URLSearchParams(String(request.body));
    const { acceptClient, tokenRedirect } = state.knobs;
    if (tokenRedirect !== '') return reply.redirect(tokenRedirect, 307);
    if (acceptClient?.(form, request.headers.authorization)) return issue();
    try {
      const keys = createLocalJWKSet(state.knobs.requireToken ?? { keys: [] });
      const audience = state.baseUrl.replace('/fhir', '/token');
      await jwtVerify(form.get('client_assertion') ?? '', keys, { audience, maxTokenAge: '5m' });
    } catch {
      return reply.code(400).send({ error: 'invalid_client' });
    }
    return issue();
  });
  function issue() {
    const token = randomUUID();
    accepted.add(token);
    state.tokens.issued += 1;
    return { access_token: token, token_type: 'bearer', expires_in: 300 };
  }

  app.get('/fhir/metadata', async () => {
    await state.knobs.beforeMetadata?.();
    return { ...statementOf(state.knobs), ...state.knobs.statement };
  });
  app.get<{ Params: { type: string; id: string } }>('/fhir/:type/:id', (request, reply) => {
    const key = `${request.params.type}/${request.params.id}`;
    if ([request.params.type, key].some((one) => state.knobs.notGranted.includes(one)))
      throw new Refusal(403, 'Not granted.');
    const elsewhere = state.knobs.redirects[key];
    if (elsewhere !== undefined) return reply.code(301).header('location', `${state.baseUrl}/${elsewhere}`).send();
    const one = stored.get(key);
    if (!one) throw new Refusal(deleted.has(key) && !state.knobs.forgetsDeleted ? 410 : 404, 'Not there.');
    return answer(reply, 200, one);
  });
  app.get<{ Params: { type: string } }>('/fhir/:type/_history', ({ params, url }) => {
    if (!state.knobs.history) throw new Refusal(404, 'There is no history.');
    const parameters = new URLSearchParams(url.split('?')[1] ?? '');
    const address = `${state.baseUrl}/${params.type}/_history`;
    return historyOf(versions, params.type, parameters, state.knobs.pageSize, address);
  });
  app.get<{ Params: { type: string } }>('/fhir/:type', (request, reply) => {
    const found = search(request.params.type, new URLSearchParams(request.url.split('?')[1] ?? ''));
    if (!state.knobs.searchTags) return found;
    const tag = `"${createHash('sha256').update(JSON.stringify(found.entry)).digest('hex')}"`;
    void reply.header('etag', tag);
    return request.headers['if-none-match'] === tag ? reply.code(304).send() : found;
  });
  app.post<{ Params: { type: string } }>('/fhir/:type', (request, reply) => {
    const body: Resource = JSON.parse(String(request.body));
    const ifNoneExist = request.headers['if-none-exist'];
    const { status, one } = effect(request, () => create(request.params.type, body, ifNoneExist?.toString()));
    return answer(reply, status, one);
  });
  app.post('/fhir/Patient/$match', (request): Bundle => {
    if (!state.knobs.match) throw new Refusal(404, 'Not offered.');
    const { parameter } = JSON.parse(String(request.body)) as Parameters;
    const asked = parameter?.find(({ name }) => name === 'resource')?.resource as Patient;
    return search('Patient', new URLSearchParams({ birthdate: String(asked.birthDate) }));
  });
  app.put<{ Params: { type: string; id: string } }>('/fhir/:type/:id', (request, reply) => {
    const { type, id } = request.params;
    const known = stored.get(`${type}/${id}`);
    const ifMatch = request.headers['if-match'];
    if (!known) throw new Refusal(deleted.has(`${type}/${id}`) ? 410 : 404, 'Not there.');
    if (state.knobs.requireIfMatch && !ifMatch) throw new Refusal(412, 'If-Match is missing.');
    if (ifMatch && ifMatch !== `W/"${known.version}"`)
      throw new Refusal(state.knobs.requireIfMatch ? 409 : 412, 'Stale.');
    const body: Resource = JSON.parse(String(request.body));
    return answer(
      reply,
      200,
      effect(request, () => write(body, id)),
    );
  });
  app.delete<{ Params: { type: string; id: string } }>('/fhir/:type/:id', (request, reply) => {
    const known = stored.get(`${request.params.type}/${request.params.id}`);
    const ifMatch = request.headers['if-match'];
    if (known && ifMatch && ifMatch !== `W/"${known.version}"`) throw new Refusal(412, 'Stale.');
    effect(request, () => state.remove(request.params.type, request.params.id));
    return reply.code(204).send();
  });
  app.post('/fhir', (request) => effect(request, () => transact(JSON.parse(String(request.body)))));

  function transact(bundle: Bundle): Bundle {
    const ids = new Map<string, string>();
    const rows = (bundle.entry ?? []).map((entry) => {
      const type = String(entry.resource?.resourceType);
      const { one } = create(type, entry.resource as Resource, entry.request?.ifNoneExist);
      ids.set(String(entry.fullUrl), `${type}/${one.resource.id}`);
      return one;
    });
    const entry = rows.map((one): BundleEntry => {
      const text = [...ids].reduce(
        (json, [from, to]) => json.replaceAll(`"${from}"`, `"${to}"`),
        JSON.stringify(one.resource),
      );
      one.resource = JSON.parse(text);
      const location = `${one.resource.resourceType}/${one.resource.id}/_history/${one.version}`;
      return { response: { status: '201', location, etag: `W/"${one.version}"` } };
    });
    return { resourceType: 'Bundle', type: 'transaction-response', entry };
  }

  extend?.(app, state);
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return Object.assign(state, { baseUrl: `${address}/fhir` });
}

function withoutVersions(payload: unknown): unknown {
  return JSON.parse(JSON.stringify(payload, (name, value) => (name === 'versionId' ? undefined : value)));
}
