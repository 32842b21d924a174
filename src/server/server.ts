// The HTTP server: FHIR, intake, operators, discovery, health and metrics on one Fastify instance. It holds no rules; it
// turns requests into calls and Faults into answers.
import compress from '@fastify/compress';
import type { Resource } from '@medplum/fhirtypes';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Access } from '../access/access.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { AuthorizationServer } from '../access/oauth/authorization-server.ts';
import { ENDPOINTS } from '../access/oauth/provider.ts';
import { verifyTrail as verifySealed } from '../audit/verify.ts';
import type { EvidenceSources } from '../care/evidence/evidence-sources.ts';
import { NO_PANELS, type Panels } from '../care/panels/panels.ts';
import { NO_PATHWAYS, type Pathways } from '../care/pathways/pathways.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { FHIR_PATH, fhirBase } from '../fhir/base-url.ts';
import { capabilityStatement } from '../fhir/capability.ts';
import { type LabelPolicy, NO_LABEL_POLICY } from '../fhir/consent/label-policy.ts';
import type { Definitions } from '../fhir/definitions.ts';
import { type Installed, NOTHING_INSTALLED } from '../fhir/installed.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { createSubsetter } from '../fhir/subset.ts';
import { terminologyCapabilities } from '../fhir/terminology/capability.ts';
import { tokenSets } from '../fhir/terminology/token-sets.ts';
import type { Validator } from '../fhir/validation/validator.ts';
import { createDeliveries } from '../intake/deliveries.ts';
import type { Intake } from '../intake/receive.ts';
import type { Store } from '../store/store.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import { registerApi } from './api/door.ts';
import { API_PATH } from './api/path.ts';
import { auditAll, auditUnroutable } from './audit.ts';
import { authenticateAll } from './authenticate.ts';
import { answerClientError } from './client-error.ts';
import { allowOrigins } from './cors.ts';
import { sendFault } from './errors.ts';
import { type ExchangeRules, exchangeRulesOf } from './exchange-rules.ts';
import { AUDIT_EVENT_CAPABILITY } from './fhir/audit-events.ts';
import { broughtDefinitions } from './fhir/brought-definitions.ts';
import type { FhirContext } from './fhir/context.ts';
import { registerFhir } from './fhir/door.ts';
import { EXPAND } from './fhir/operations/expand.ts';
import { OPERATIONS } from './fhir/operations/table.ts';
import { declareGrant } from './grant-of.ts';
import { limitHeaders } from './header-count.ts';
import { serveHealth } from './health.ts';
import { serveHooks } from './hooks.ts';
import { serveIntake } from './intake-hl7v2.ts';
import { createListener } from './listener.ts';
import { serveMetrics } from './metrics.ts';
import { serveOauth } from './oauth/routes.ts';
import { operatorGauges } from './ops/gauges.ts';
import type { RegistryGauged } from './ops/registry-gauges.ts';
import { type OperatorParts, serveOperators } from './ops/routes.ts';
import { syncDurations } from './ops/sync-gauges.ts';
import { declarePatientsShown } from './patients-shown.ts';
import { createRateLimits, type RequestLimits } from './rate-limits.ts';
import { logRequests, requestIdOf } from './request-log.ts';
import { sendSecurityHeaders } from './security-headers.ts';
import { letConnectionsGo } from './stopping.ts';
import type { Tls } from './tls.ts';
import { serveWellKnown } from './well-known.ts';

export interface Limits {
  readonly bodyBytes: number;
  readonly bundleEntries: number;
  /** Time a client has to send its request, in milliseconds. */
  readonly requestTimeout: number;
}

const DEFAULT_LIMITS: Limits = { bodyBytes: 10 * 1024 * 1024, bundleEntries: 5_000, requestTimeout: 60_000 };

export interface ServerOptions {
  readonly store: Store;
  readonly parameters: SearchParameters;
  readonly definitions: Pick<Definitions, 'resourceTypes' | 'structure' | 'terminology' | 'artefacts'>;
  readonly validate: Validator['validate'];
  /** Resources of profiles/, of which the definitions can be read and searched. Absent: none. */
  readonly brought?: readonly Resource[];
  /** Guides and profiles; another object when they have changed. Absent: none. */
  readonly installed?: () => Installed;
  readonly access: Access;
  /** Security labels that need a permit. Absent: none does. */
  readonly labelPolicy?: LabelPolicy;
  readonly authorization: AuthorizationServer;
  /** Absent: every difference waits for a person, and patients are known by their numbers. */
  readonly exchangeRules?: ExchangeRules;
  /** Absent: only those that are stored. */
  readonly pathways?: Pathways;
  /** Absent: none. */
  readonly panels?: Panels;
  /** Absent: every facility is where the server is, and where patients went is not known. */
  readonly evidence?: EvidenceSources;
  /** Absent: no `/intake/hl7v2`. */
  readonly intake?: Intake;
  readonly sync?: OperatorParts['sync'];
  readonly transitions?: OperatorParts['transitions'];
  readonly notify?: OperatorParts['notify'];
  /** Absent: no numbers of panels. */
  readonly registry?: RegistryGauged;
  /** Absent: nobody is told of changes. */
  readonly subscriptions?: Subscriptions;
  /** Absent: the audit trail is verified without a file of seals. */
  readonly verifyTrail?: OperatorParts['verifyTrail'];
  readonly clock: Clock;
  readonly log: Logger;
  /** Public base URL without trailing slash; asked each time because a free port is known late. */
  readonly baseUrl: () => string;
  /** Version of Baton. */
  readonly version: string;
  /** IANA time zone in which days begin and end here. Absent: UTC. */
  readonly zone?: string;
  readonly limits?: Limits;
  /** Absent: none. */
  readonly requestLimits?: RequestLimits;
  /** Absent: failed authentications are not counted. */
  readonly attempts?: FailedAttempts;
  /** Origins of browser apps. */
  readonly corsOrigins?: readonly string[];
  /** Proxies, by address or network, whose X-Forwarded-For is believed. */
  readonly trustProxy?: readonly string[];
  /** Absent: plain HTTP. */
  readonly tls?: Tls | undefined;
  /** More routes, e.g. the sandbox's. They need a token unless their config says `open`. */
  readonly extraRoutes?: (server: FastifyInstance) => void | Promise<void>;
}

/** Ready to listen; everything it serves is registered. Closing it lets requests in flight finish. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { store, access, attempts, log, baseUrl, limits = DEFAULT_LIMITS, trustProxy = [] } = options;
  const loggerInstance: FastifyBaseLogger = log;
  const server: FastifyInstance = Fastify({
    loggerInstance,
    // request-log.ts writes the lines, with the request id in them; a child logger per request would cost for nothing.
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger,
    genReqId: requestIdOf,
    bodyLimit: limits.bodyBytes,
    serverFactory: (handler) => createListener(handler, limits.requestTimeout, options.tls),
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
    clientErrorHandler: answerClientError,
    frameworkErrors(error, request, reply) {
      sendFault(log, error, request, reply);
      auditUnroutable(store, request, reply.statusCode);
    },
  });
  server.setErrorHandler((error, request, reply) => sendFault(log, error, request, reply));
  letConnectionsGo(server);
  declareGrant(server);
  declarePatientsShown(server);
  logRequests(server, log);
  sendSecurityHeaders(server, baseUrl);
  await allowOrigins(server, options.corsOrigins ?? []);
  await server.register(compress, {
    encodings: ['br', 'gzip'],
    requestEncodings: ['gzip', 'br', 'deflate', 'identity'],
  });
  auditAll(server, store);
  limitHeaders(server);
  const requests = options.requestLimits && createRateLimits(options.requestLimits);
  authenticateAll(server, { access, attempts, limits: requests });
  const context = fhirContext(options);
  server.addHook('onClose', () => context.brought.close());
  serveMetrics(server, store, operatorGauges(context, options), options.sync ? [syncDurations(options.sync)] : []);
  serveHealth(server, store, options.transitions?.watchdog);
  serveWellKnown(server, access, baseUrl);
  // What is remembered of a token must not outlive it.
  options.authorization.state.onRemoved(access.revoked);
  await serveOauth(server, { server: options.authorization, store, baseUrl, attempts });
  if (options.intake) await serveIntake(server, options.intake);
  if (options.sync) await serveHooks(server, { hints: options.sync.hints, access, attempts });
  const { sync, transitions, notify, verifyTrail = () => verifySealed({ store, jwks: access.jwks }) } = options;
  const deliveries = options.intake && createDeliveries(context, options.intake);
  serveOperators(server, { context, sync, transitions, notify, deliveries, verifyTrail });
  await server.register(async (scope) => registerFhir(scope, context), { prefix: FHIR_PATH });
  const { zone = 'UTC', version } = options;
  const api = { context, access, zone, baseUrl, version };
  await server.register((scope) => registerApi(scope, api), { prefix: API_PATH });
  if (options.extraRoutes) await options.extraRoutes(server);
  server.setNotFoundHandler((request, reply) => sendFault(log, notFound(), request, reply));
  return server;
}

function fhirContext(options: ServerOptions): FhirContext {
  const { store, parameters, definitions, clock, baseUrl, subscriptions, limits = DEFAULT_LIMITS } = options;
  const installed = options.installed ?? (() => NOTHING_INSTALLED);
  const types = new Set(definitions.resourceTypes);
  const base = () => fhirBase(baseUrl());
  const date = clock.real().toString({ smallestUnit: 'millisecond' });
  const statement = () =>
    capabilityStatement({
      types: definitions.resourceTypes,
      parameters,
      operations: subscriptions ? OPERATIONS : OPERATIONS.filter(({ types }) => !types?.includes('Subscription')),
      topics: subscriptions?.topics.map(({ url }) => url) ?? [],
      special: new Map([['AuditEvent', AUDIT_EVENT_CAPABILITY]]),
      installed: installed(),
      baseUrl: base(),
      endpoints: {
        authorize: `${baseUrl()}${ENDPOINTS.authorize}`,
        token: `${baseUrl()}${ENDPOINTS.token}`,
        introspect: `${baseUrl()}${ENDPOINTS.introspect}`,
        revoke: `${baseUrl()}${ENDPOINTS.revoke}`,
      },
      version: options.version,
      date,
    });
  const terminology = () =>
    terminologyCapabilities({
      codeSystems: definitions.terminology.source.codeSystemEntries(),
      expandParameters: EXPAND.inputs,
      baseUrl: base(),
      version: options.version,
      date,
    });
  return {
    store,
    pathways: options.pathways ?? NO_PATHWAYS,
    panels: options.panels ?? NO_PANELS,
    evidence: options.evidence ?? hereOnly(options),
    zone: options.zone ?? 'UTC',
    parameters,
    clock,
    base,
    subset: createSubsetter(definitions),
    brought: broughtDefinitions({
      ...{ parameters, definitions, base, installed, clock, log: options.log },
      resources: options.brought ?? [],
      stored: store,
    }),
    tokenSets: tokenSets(() => definitions.terminology.source),
    validate: options.validate,
    get artefacts() {
      return definitions.artefacts;
    },
    get terminology() {
      return definitions.terminology;
    },
    isType: (type) => types.has(type),
    capabilities: onceFor([base, installed], () => JSON.stringify(statement())),
    terminologyCapabilities: onceFor([base, installed], () => JSON.stringify(terminology())),
    maxBundleEntries: limits.bundleEntries,
    exchangeRules: options.exchangeRules ?? exchangeRulesOf({}, {}),
    labelPolicy: options.labelPolicy ?? NO_LABEL_POLICY,
    subscriptions,
  };
}

function hereOnly({ zone = 'UTC', pathways = NO_PATHWAYS }: ServerOptions): EvidenceSources {
  const here = { zone, calendar: pathways.calendar };
  return { placeOf: async () => here, destinationOf: () => 'unknown' };
}

/** Remembers the text until the base URL changes (once, when a free port is chosen) or the installed guides do. */
function onceFor(inputs: readonly (() => unknown)[], make: () => string): () => string {
  let made: { readonly from: readonly unknown[]; readonly text: string } | undefined;
  return () => {
    const from = inputs.map((input) => input());
    if (!made?.from.every((value, i) => value === from[i])) made = { from, text: make() };
    return made.text;
  };
}

const notFound = () => new Fault('not-found', 'There is nothing at this URL.');
