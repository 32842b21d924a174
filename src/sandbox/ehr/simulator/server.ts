// A simulated server on a port of its own, on loopback only.
import { randomBytes } from 'node:crypto';
import type { Resource } from '@medplum/fhirtypes';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { JWK } from 'jose';
import { type MovableClock, movableClock } from '../../../clock.ts';
import { httpDate } from '../../../fhir/http-date.ts';
import { createTokenServer } from '../tokens.ts';
import { SIMULATED, type SimulatedVendor } from '../vendors/presets.ts';
import { loadVocabulary } from '../vocabulary.ts';
import { createChance } from './chance.ts';
import { publishedKeys } from './client-keys.ts';
import { load, mountControl } from './control.ts';
import { createEhr } from './create-ehr.ts';
import { createDoors } from './doors.ts';
import type { Asked, Ehr } from './ehr.ts';
import { handle, intentOf } from './handle.ts';
import { type Knobs, turnKnobs } from './knobs.ts';
import type { Door } from './mishaps.ts';
import { Refusal } from './refusal.ts';
import { permits, scopeCheck } from './scopes.ts';
import { smartConfiguration } from './smart-configuration.ts';
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

const MAX_BODY = 64 * 1024 * 1024;

export async function startSimulatedEhr(options: SimulatedEhrOptions): Promise<SimulatedEhr> {
  loadVocabulary();
  const { vendor, client, seed = 1, clock = movableClock() } = options;
  const rules = SIMULATED[vendor];
  const tenant = options.tenant ?? rules.tenant;
  const root = rules.path(tenant);
  let origin = '';
  const ehr = createEhr(vendor, seed, tenant, () => `${origin}${root}`, clock);
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
  const asked = new Map<string, number>();
  const controlKey = randomBytes(18).toString('base64url');
  const anyTenant = new RegExp(`^${rules.path('[^/?]+')}(?:[/?]|$)`);

  const app = Fastify({ logger: false, bodyLimit: MAX_BODY, forceCloseConnections: true, exposeHeadRoutes: false });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  const { send, refused, said, through } = createDoors(ehr, clock);

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
      return reply.code(status).header('date', httpDate(clock.now())).header('cache-control', 'no-store').send(body);
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

const later = (now: Temporal.Instant, duration: Temporal.DurationLike) =>
  now.toZonedDateTimeISO('UTC').add(duration).toInstant();

function readRequest({ method, url, headers, body }: FastifyRequest, start: number, allows: Asked['allows']): Asked {
  const [path = '', query = ''] = url.slice(start).split(/\?(.*)/s);
  return {
    method,
    allows,
    segments: path.split('/').filter(Boolean),
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
