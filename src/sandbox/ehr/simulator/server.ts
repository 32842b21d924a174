// A simulated server on a port of its own, on loopback only.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Resource } from '@medplum/fhirtypes';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { JWK } from 'jose';
import { type MovableClock, movableClock } from '../../../clock.ts';
import { httpDate } from '../../../fhir/http-date.ts';
import { createTokenServer } from '../tokens.ts';
import { SIMULATED, type SimulatedVendor } from '../vendors/presets.ts';
import { loadVocabulary } from '../vocabulary.ts';
import { createAbilities } from './abilities.ts';
import { createChance } from './chance.ts';
import { publishedKeys } from './client-keys.ts';
import { load, mountControl } from './control.ts';
import { createDocumentDesk } from './document-desk.ts';
import type { Answer, Asked, Ehr } from './ehr.ts';
import { handle, intentOf } from './handle.ts';
import { type Knobs, type Mishap, quietKnobs, turnKnobs } from './knobs.ts';
import { createMeter, type Door, mishapFor, retryAfter } from './mishaps.ts';
import { createPages } from './page-sessions.ts';
import { Records, type Stamp } from './records.ts';
import { outcome, Refusal, refusalBody, rowOf } from './refusal.ts';
import { permits, scopeCheck } from './scopes.ts';
import { statementOf } from './statement.ts';

export interface SimulatedEhrOptions {
  readonly vendor: SimulatedVendor;
  /** 0, and when absent: a free one. */
  readonly port?: number;
  readonly tenant?: string;
  /** The same seed makes the same ids and mishaps. */
  readonly seed?: number;
  /** Who may get tokens; `none` asks nobody for one. */
  readonly client: { readonly clientId: string; readonly keys: string | { readonly keys: readonly JWK[] } } | 'none';
  /** How published keys are read. */
  readonly fetch?: typeof globalThis.fetch;
  /** The server's clock; it stamps versions and ages tokens and pages. The machine's when absent. */
  readonly clock?: MovableClock;
}

export interface SimulatedEhr {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly controlUrl: string;
  readonly controlKey: string;
  /** For client_secret_basic, where the vendor takes it. */
  readonly clientSecret: string;
  readonly ehr: Ehr;
  /** As somebody at the hospital: past the rules for clients. Returns `Type/id` of each. */
  load(resources: readonly Resource[]): string[];
  /** @throws Fault invalid */
  turn(knobs: Partial<Knobs>): void;
  advance(duration: Temporal.DurationLike): void;
  close(): Promise<void>;
}

const FHIR_JSON = 'application/fhir+json; charset=utf-8';
const MAX_BODY = 64 * 1024 * 1024;
const MAINTENANCE = '<!doctype html><html><body><h1>Scheduled maintenance</h1></body></html>';

export async function startSimulatedEhr(options: SimulatedEhrOptions): Promise<SimulatedEhr> {
  loadVocabulary();
  const { vendor, client, seed = 1, clock = movableClock() } = options;
  const rules = SIMULATED[vendor];
  const tenant = options.tenant ?? rules.tenant;
  const root = rules.path(tenant);
  let origin = '';
  const ehr = createEhr(options, tenant, () => `${origin}${root}`, clock);
  const { knobs } = ehr;
  const tokenUrl = () => `${origin}/oauth2/token`;
  const clientSecret = createChance(seed + 1).text(32);
  const real = () => clock.real();
  const fetch = options.fetch ?? globalThis.fetch;
  const keys =
    client === 'none'
      ? { keys: [] }
      : typeof client.keys === 'string'
        ? publishedKeys(client.keys, fetch, () => real().epochMilliseconds)
        : client.keys;
  const tokens = createTokenServer({
    clientId: client === 'none' ? '' : client.clientId,
    keys,
    tokenUrl,
    real,
    now: () => clock.now(),
    life: () => knobs.tokenSeconds ?? rules.tokens.seconds,
    algorithms: rules.tokens.algorithms,
    acceptsScope: scopeCheck(rules),
    ...(rules.tokens.secret ? { secret: clientSecret } : {}),
  });
  const started = clock.now().toString({ smallestUnit: 'second' });
  const meter = createMeter();
  const asked = new Map<string, number>();
  const controlKey = randomBytes(18).toString('base64url');
  const anyTenant = new RegExp(`^${rules.path('[^/?]+')}(?:[/?]|$)`);

  const app = Fastify({ logger: false, bodyLimit: MAX_BODY, forceCloseConnections: true, exposeHeadRoutes: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  const date = () => ({ date: httpDate(clock.now()) });
  const send = (reply: FastifyReply, { status, headers, body }: Answer): FastifyReply => {
    reply.code(status).headers({ ...date(), ...headers });
    if (body !== '') reply.type(FHIR_JSON);
    return reply.send(knobs.slowBody > 0 && body !== '' ? Readable.from(slowly(body, knobs.slowBody)) : body);
  };
  const refused = (error: Refusal): Answer => {
    const { status } = rowOf(rules, error.reason);
    const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    if (error.location !== undefined) headers.location = error.location;
    return { status, headers, body: JSON.stringify(refusalBody(rules, error)) };
  };
  const said = (status: number, text: string, headers: Record<string, string> = {}): Answer => ({
    status,
    headers,
    body: JSON.stringify(outcome(rules, 'error', ISSUES[status] ?? 'transient', undefined, text)),
  });

  /** Answers with the mishap; true when there is nothing more to answer. */
  const befall = (mishap: Mishap, reply: FastifyReply): void => {
    if (mishap.do === 'status') {
      const { status = 503 } = mishap;
      send(reply, said(status, 'Simulated by a knob.', retryAfter(mishap, ehr.now())));
    } else if (mishap.do === 'html') void reply.code(200).headers(date()).type('text/html').send(MAINTENANCE);
    else {
      reply.hijack();
      if (mishap.do === 'drop') reply.raw.destroy();
    }
  };

  /** Latency, throttling and mishaps around the work at one of the doors. */
  const through = async (
    reply: FastifyReply,
    door: Door,
    type: string,
    work: () => Promise<FastifyReply | Answer> | Answer,
  ): Promise<FastifyReply> => {
    if (knobs.latency > 0) await sleep(knobs.latency);
    if (!meter.admit(ehr.now(), knobs.requestsPerSecond)) {
      return send(reply, said(429, 'Too many requests.', { 'retry-after': '1' }));
    }
    const mishap = knobs.mishaps.length > 0 ? mishapFor(knobs, ehr.chance, door, type) : undefined;
    if (mishap && mishap.effect !== 'after') {
      befall(mishap, reply);
      return reply;
    }
    const answer = await attempt(work);
    if (mishap) {
      befall(mishap, reply);
      return reply;
    }
    return 'body' in answer ? send(reply, answer) : answer;
  };
  const attempt = async (work: () => Promise<FastifyReply | Answer> | Answer): Promise<FastifyReply | Answer> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refusal) return refused(error);
      throw error;
    }
  };

  const fhir = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const question = readRequest(request, root.length, () => true);
    const [first = '', second = ''] = question.segments;
    if (first === 'metadata') {
      const body = () => ({ status: 200, headers: {}, body: JSON.stringify(statementOf(ehr, started)) });
      return through(reply, 'metadata', '', body);
    }
    if (first === '.well-known' && second === 'smart-configuration') {
      return reply.send(smartConfiguration(tokenUrl(), rules));
    }
    const intent = intentOf(ehr, question);
    const count = `${intent.ability} ${intent.type}`.trim();
    asked.set(count, (asked.get(count) ?? 0) + 1);
    return through(reply, doorOf(intent.ability), intent.type, () => {
      if (rules.strictAccept && !/json|\*\/\*/.test(String(request.headers.accept ?? '*/*'))) {
        throw new Refusal('format', 'This server answers in JSON only.');
      }
      if (client === 'none') return handle(ehr, question, intent);
      const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const scopes = token === undefined ? undefined : tokens.scopesOf(token);
      if (!scopes) throw new Refusal('login', 'A token of this server is needed.');
      return handle(ehr, { ...question, allows: (type, ability) => permits(scopes, type, ability) }, intent);
    });
  };

  await mountControl(app, {
    ehr,
    key: controlKey,
    asked,
    expireTokens: () => tokens.expire(),
    advance: (duration) => void clock.moveTo(later(clock.now(), duration)),
  });
  app.post('/oauth2/token', (request, reply) =>
    through(reply, 'token', '', async () => {
      const basic = /^Basic +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const form = new URLSearchParams(String(request.body ?? ''));
      const { status, body } = knobs.invalidClient
        ? { status: 400, body: { error: 'invalid_client', error_description: null } }
        : await tokens.issue(form, basic);
      return reply.code(status).headers(date()).header('cache-control', 'no-store').send(body);
    }),
  );
  app.all('/*', async (request, reply) => {
    const here = request.url.startsWith(root) && /^[/?]?$/.test(request.url.charAt(root.length));
    if (here) return fhir(request, reply);
    if (anyTenant.test(request.url)) return send(reply, refused(new Refusal('tenant', 'This is not your tenant.')));
    return send(reply, said(404, 'There is nothing here.'));
  });
  app.setErrorHandler((_error, _request, reply) => send(reply, said(500, 'The simulated server failed.')));

  origin = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return {
    baseUrl: ehr.base(),
    tokenUrl: tokenUrl(),
    controlUrl: `${origin}/control`,
    controlKey,
    clientSecret,
    ehr,
    load: (resources) => load(ehr, resources),
    turn: (changes) => turnKnobs(knobs, changes),
    advance: (duration) => void clock.moveTo(later(clock.now(), duration)),
    close: () => app.close(),
  };
}

const ISSUES: Readonly<Record<number, string>> = {
  404: 'not-found',
  409: 'conflict',
  412: 'conflict',
  422: 'business-rule',
  423: 'lock-error',
  424: 'processing',
  429: 'throttled',
  500: 'exception',
};

const later = (now: Temporal.Instant, duration: Temporal.DurationLike) =>
  now.toZonedDateTimeISO('UTC').add(duration).toInstant();

function createEhr(
  { vendor, seed = 1 }: SimulatedEhrOptions,
  tenant: string,
  base: () => string,
  clock: MovableClock,
): Ehr {
  const rules = SIMULATED[vendor];
  const knobs = quietKnobs();
  const chance = createChance(seed);
  const names = createChance(seed + 2);
  const now = () => clock.now().epochMilliseconds;
  const records = new Records(now, stamper(knobs, now));
  let counter = 1000;
  const newId = () => {
    if (rules.ids === 'opaque') return `e${names.text(22)}`;
    counter += 1;
    return String(counter);
  };
  return {
    vendor,
    rules,
    tenant,
    base,
    records,
    knobs,
    chance,
    now,
    newId,
    abilities: createAbilities(rules, knobs),
    pages: createPages(createChance(seed + 3)),
    documents: createDocumentDesk(),
    merged: new Map(),
  };
}

/** Times of versions, never going back. */
function stamper(knobs: Knobs, now: () => number): () => Stamp {
  let last = 0;
  return () => {
    const present = Math.max(now(), last);
    if (knobs.timestamps === 'equal') last ||= present;
    else last = knobs.timestamps === 'second' ? wholeSecond(present, last) : present;
    const instant = Temporal.Instant.fromEpochMilliseconds(last);
    const lastUpdated =
      knobs.timestamps === 'second'
        ? instant.toString({ smallestUnit: 'second' })
        : instant.toString({ fractionalSecondDigits: 3 });
    return { at: last, lastUpdated, visibleAt: now() + knobs.lateVisibility * 1000 };
  };
}

function wholeSecond(present: number, last: number): number {
  const floor = Math.floor(present / 1000) * 1000;
  return floor >= last ? floor : Math.ceil(last / 1000) * 1000;
}

function readRequest({ method, url, headers, body }: FastifyRequest, start: number, allows: Asked['allows']): Asked {
  const [path = '', query = ''] = url.slice(start).split(/\?(.*)/s);
  return {
    method,
    allows,
    segments: path.split('/').filter(Boolean).map(decodeURIComponent),
    pairs: query === '' ? [] : ([...new URLSearchParams(query)] as [string, string][]),
    headers,
    body: typeof body === 'string' ? body : '',
  };
}

const DOORS: Readonly<Record<string, Door>> = {
  read: 'read',
  vread: 'read',
  search: 'search',
  next: 'search',
  'history-instance': 'search',
  'history-type': 'search',
  'history-system': 'search',
};

const doorOf = (ability: string): Door => DOORS[ability] ?? 'write';

async function* slowly(body: string, milliseconds: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(body);
  const parts = 10;
  const size = Math.ceil(bytes.length / parts);
  for (let start = 0; start < bytes.length; start += size) {
    if (start > 0) await sleep(milliseconds / parts);
    yield bytes.subarray(start, start + size);
  }
}

function smartConfiguration(tokenUrl: string, { tokens }: Ehr['rules']): Record<string, unknown> {
  const methods = ['private_key_jwt', ...(tokens.secret ? ['client_secret_basic'] : [])];
  return {
    token_endpoint: tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: tokens.algorithms,
    scopes_supported: tokens.scopes === 'v1' ? ['system/*.read', 'system/*.write'] : ['system/*.cruds', 'system/*.*'],
    capabilities: ['client-confidential-asymmetric', tokens.scopes === 'v1' ? 'permission-v1' : 'permission-v2'],
  };
}
