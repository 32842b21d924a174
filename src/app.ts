// Composition root: the only file that knows every part. It makes them, introduces them to each other, and stops them in
// the right order.

import { readFileSync } from 'node:fs';
import type { Server as TlsServer } from 'node:https';
import { join } from 'node:path';
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Access } from './access/access.ts';
import { createAccessControl } from './access/access-control.ts';
import { createFailedAttempts } from './access/failed-attempts.ts';
import { openKeys } from './access/keys.ts';
import { readLabelPolicy } from './access/label-policy.ts';
import type { AuthorizationServer } from './access/oauth/authorization-server.ts';
import { parametersOfRoles } from './access/parameters-of-roles.ts';
import { loadRoles } from './access/role.ts';
import { FULL_SCOPE } from './access/scopes.ts';
import { loadTypeGroups } from './access/type-groups.ts';
import { createProvenanceWriter } from './audit/provenance-writer.ts';
import { createTrail, type Trail } from './audit/trail.ts';
import { loadCalendars } from './care/business-calendar.ts';
import { loadPanels } from './care/panels/panels.ts';
import { pathwayIssues } from './care/pathways/pathway-issues.ts';
import { createPathways } from './care/pathways/pathways.ts';
import { loadProfiles, ofType } from './care/profiles.ts';
import { revisionRules } from './care/revision-rules.ts';
import { loadRiskMethods } from './care/transition/risk-method.ts';
import type { Clock } from './clock.ts';
import { createClockwork } from './clockwork.ts';
import { type Config, ConfigError } from './config.ts';
import { readCertificates } from './config-network.ts';
import { areAnywhere, facilitiesOf, homeOf } from './configured-facilities.ts';
import { Fault } from './fault.ts';
import { fhirBase } from './fhir/base-url.ts';
import { type Conformance, createConformance } from './fhir/conformance.ts';
import { tokenSets } from './fhir/terminology/token-sets.ts';
import { createDeliveries, type Deliveries } from './intake/deliveries.ts';
import { deliveryRetention } from './intake/delivery-retention.ts';
import { type MllpServer, startMllpServer } from './intake/mllp/server.ts';
import { createIntake } from './intake/receive.ts';
import { readSenders } from './intake/sender.ts';
import { watchBacklog } from './intake/watch-backlog.ts';
import { createNotify } from './notify/notify.ts';
import { loadTemplates } from './notify/templates.ts';
import { createRegistry } from './registry/registry.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { SandboxClock } from './sandbox/sandbox-clock.ts';
import { sandboxConnection } from './sandbox/sandbox-config.ts';
import { forgetCommands } from './server/api/idempotency.ts';
import { exchangeRulesOf } from './server/exchange-rules.ts';
import { createSight } from './server/fhir/sight.ts';
import { LIBRARY_PAGES } from './server/oauth/library-pages.ts';
import { createServer } from './server/server.ts';
import { renewCertificates } from './server/tls.ts';
import { type OpenStore, openStore } from './store/open.ts';
import { indexFirst } from './store/search/index-first.ts';
import { keepIndexed } from './store/search/keep-indexed.ts';
import { createSearchEngine } from './store/search/search-engine.ts';
import { createSubscriptions } from './subscriptions/subscriptions.ts';
import { readPolicies } from './sync/conflicts/policies.ts';
import { readMatchRules } from './sync/patients/match-rules.ts';
import { createSync, type Sync } from './sync/sync.ts';
import { reactToCommits } from './transitions/react-to-commits.ts';
import { createTransitions, type Transitions } from './transitions/transitions.ts';
import { warmUp } from './warm-up.ts';

const ROOT = join(import.meta.dirname, '..');
const PROFILES = join(ROOT, 'profiles');
const CONSOLE_TOKEN_SECONDS = 3_600;
/** Rounds after which settling gives up; each pushes, pulls and reacts once. */
const SETTLE_ROUNDS = 20;

export interface Surroundings {
  /** A SandboxClock when the sandbox is on. */
  readonly clock: Clock | SandboxClock;
  readonly fetch: typeof globalThis.fetch;
  readonly log: Logger;
  /** Standard output, for people. */
  readonly write: (text: string) => void;
}

export interface App {
  readonly server: FastifyInstance;
  readonly store: OpenStore;
  readonly sync: Sync;
  readonly transitions: Transitions;
  readonly deliveries: Deliveries;
  readonly access: Access;
  readonly trail: Trail;
  readonly authorization: AuthorizationServer;
  readonly conformance: Conformance;
  /** What is wrong with a PlanDefinition as a pathway; `others` may be what it is made of. */
  pathwayIssues(resource: Resource, others: readonly Resource[]): OperationOutcomeIssue[];
  /** Opens the doors and starts the heartbeat. */
  start(): Promise<void>;
  /** Prepares what the first requests and sweeps would wait for; `start` does it after the first beats. */
  warmUp(): Promise<void>;
  /** One heartbeat: reacts, sweeps, pulls and pushes what is due. */
  tick(): Promise<void>;
  /** New connections get the certificates that the files have now. */
  renewCertificates(): void;
  /** Finishes what is in flight and lets go of everything. */
  close(): Promise<void>;
}

/**
 * Makes a whole Baton that is not listening yet.
 * @param config `port` is the one to listen on, never 0, because links and identifiers carry it
 */
export async function build(config: Config, surroundings: Surroundings): Promise<App> {
  const { clock, log, write } = surroundings;
  const scheme = config.tls ? 'https' : 'http';
  const baseUrl = config.baseUrl ?? `${scheme}://${hostInUrl(config.host)}:${config.port}`;
  const keepsFiles = config.databaseUrl !== 'sqlite::memory:';
  const facilities = facilitiesOf(config);
  const connections = config.sandbox ? [...config.connections, sandboxConnection(baseUrl)] : config.connections;

  if (areAnywhere(facilities)) log.warn('no facility is configured: times and deadlines are read in UTC');

  const profiles = loadProfiles(PROFILES);
  const conformance = createConformance(profiles, {
    required: config.requiredProfiles,
    unknownProfile: config.unknownProfiles === 'refuse' ? 'error' : 'warning',
  });
  const { definitions, parameters, validate } = conformance;
  refuseUnknownTypes(Object.keys(config.requiredProfiles), definitions.resourceTypes);
  const sets = tokenSets(() => definitions.terminology.source);
  const searchEngine = createSearchEngine({ parameters, baseUrl: fhirBase(baseUrl), clock, tokenSets: sets });
  const home = homeOf(facilities);
  const store = await openStore({
    url: config.databaseUrl,
    searchEngine,
    validate,
    prepareRules: conformance.prepare,
    revisions: revisionRules(clock, home.zone),
    clock,
    log,
  });
  const indexKeeper = keepIndexed(store, clock, log);

  const keys = await openKeys(keepsFiles ? config.dataDir : undefined);
  const roles = loadRoles(
    join(PROFILES, 'roles'),
    loadTypeGroups(join(PROFILES, 'type-groups.json'), parameters),
    parameters,
  );
  const policy = readLabelPolicy(join(PROFILES, 'access/consent-policy.json'));
  const { access, authorization } = createAccessControl({
    ...config,
    mode: config.auth,
    ...{ store, parameters, roles, keys, clock, log },
    labelPolicy: policy,
    baseUrl: () => baseUrl,
    pages: LIBRARY_PAGES,
    fetch: surroundings.fetch,
  });
  const attempts = createFailedAttempts(clock);
  const trail = createTrail({
    ...{ store, clock, log, keys },
    dataDir: keepsFiles ? config.dataDir : undefined,
    keepDays: config.audit.keepDays,
  });
  const panels = configured(() => loadPanels(PROFILES));
  const registry = configured(() =>
    createRegistry({ store, clock, zone: home.zone, panels, parse: searchEngine.parse, log }),
  );
  const provenance = createProvenanceWriter({ store, baseUrl, log });
  const senders = configured(() =>
    readSenders(config.senders ?? join(PROFILES, 'senders'), ofType(profiles, 'ConceptMap')),
  );
  const intake = createIntake({ store, clock, facilities, senders, parameters, log });
  const backlogWatch = watchBacklog({ store, clock, log, wake: intake.applying.wake });
  const keeping = deliveryRetention(store, clock, log, config.messages);
  const calendars = loadCalendars(join(PROFILES, 'calendars'));
  const riskMethods = loadRiskMethods(join(PROFILES, 'risk-methods'));
  const notify = createNotify({
    ...{ store, clock, log, facilities, baseUrl },
    settings: config.notify,
    templates: configured(() => loadTemplates(join(PROFILES, 'notifications'))),
    fetch: surroundings.fetch,
  });
  const transitions = createTransitions({
    store,
    clock,
    facilities,
    calendars,
    artifacts: profiles,
    riskMethods,
    parse: searchEngine.parse,
    log,
    emit: (event) => log.info(event, event.kind),
    tellDirectly: notify.tellDirectly,
  });
  const subscriptions = configured(() =>
    createSubscriptions({
      ...{ store, clock, log, access, parameters },
      settings: config.subscriptions,
      sight: createSight(
        { parameters, labelPolicy: policy, base: () => fhirBase(baseUrl), clock, tokenSets: sets },
        store,
      ),
      generation: () => conformance.installed,
      base: () => fhirBase(baseUrl),
      topics: join(PROFILES, 'subscription-topics'),
      secret: keys.cookieSecret,
      loopback: config.sandbox,
      fetch: surroundings.fetch,
    }),
  );
  const policies = readPolicies(join(PROFILES, 'policies'));
  const matching = readMatchRules(join(PROFILES, 'matching'));
  const sync = createSync({
    store,
    clock,
    log,
    connections,
    baseUrl,
    fetch: surroundings.fetch,
    keys: keys.client,
    readSecret: config.readSecret,
    policies,
    messages: config.messages,
    matching,
    consent: { parameters, labels: policy },
    alerts: config.alerts,
    emit: (event) => log.info(event, event.kind),
  });

  const { tls: files, mllpTls: mllpFiles } = config;
  const tls = files && { clientAuth: files.clientAuth, read: () => readCertificates(files) };
  let mllp: MllpServer | undefined;
  let sandbox: Sandbox | undefined;
  const server = await createServer({
    store,
    parameters,
    definitions,
    validate,
    brought: profiles,
    installed: () => conformance.installed,
    access,
    labelPolicy: policy,
    authorization,
    intake,
    sync,
    transitions,
    notify,
    subscriptions,
    evidence: transitions.sources,
    verifyTrail: trail.verify,
    clock,
    log,
    baseUrl: () => baseUrl,
    version: versionOf(),
    zone: home.zone,
    exchangeRules: exchangeRulesOf(policies, matching),
    panels,
    registry,
    pathways: createPathways(profiles, calendars.get(home.calendar), () => ({ now: clock.now(), zone: home.zone })),
    requestLimits: config.limits,
    attempts,
    corsOrigins: config.corsOrigins,
    trustProxy: config.trustProxy,
    tls,
    async extraRoutes(app) {
      if (!config.sandbox) return;
      const { mountSandbox } = await import('./sandbox/sandbox.ts');
      sandbox = await mountSandbox({
        app,
        store,
        authorization,
        clock: clock as SandboxClock,
        dataDir: keepsFiles ? config.dataDir : undefined,
        baseUrl: () => baseUrl,
        mllp: () => mllp && { host: config.host, port: mllp.port },
        settle,
        verify: (token) =>
          access.authenticate(token && `Bearer ${token}`).then(
            () => true,
            () => false,
          ),
        issueToken: () =>
          access.issue({ clientId: 'console', scope: FULL_SCOPE, lifetimeSeconds: CONSOLE_TOKEN_SECONDS }),
        jwks: { keys: [...keys.jwks.keys] },
        log,
        write,
      });
    },
  });

  const clockwork = createClockwork(
    [
      { name: 'transitions', tick: transitions.tick, pulse: transitions.pulse },
      { name: 'sync', tick: beatSync },
      { name: 'tidying', tick: tidy },
      { name: 'sealing', tick: trail.tick },
      { name: 'notifications', tick: notify.tick, slow: true },
      { name: 'subscriptions', tick: subscriptions.tick, slow: true },
      { name: 'watchdog', tick: transitions.watchdog.look },
      { name: 'intake', tick: backlogWatch.tick },
      { name: 'registry', tick: registry.tick, slow: true },
    ],
    log,
  );
  let stopReacting: (() => void) | undefined;
  let stopPublishing: (() => void) | undefined;
  let isStarted = false;
  const ending = new AbortController();
  let closing: Promise<void> | undefined;
  const prepare = () => warmUp(profiles, conformance, { signal: ending.signal, log });

  async function tick(): Promise<void> {
    await transitions.tick();
    await notify.tick();
    await subscriptions.tick();
    await sync.tick(clock.now());
    await tidy();
  }

  /** Not waited for: while one server takes hours, the others have their beats. */
  async function beatSync(): Promise<void> {
    sync.tick(clock.now()).catch((error) => log.error({ err: error }, 'a beat of sync failed'));
  }

  async function tidy(): Promise<void> {
    provenance.wake();
    await authorization.sweep();
    await forgetCommands(store, clock);
    await keeping.tick();
  }

  /** Runs everything that reacts until nothing reacts any more. */
  async function settle(): Promise<void> {
    for (let round = 0; round < SETTLE_ROUNDS; round++) {
      const before = await store.head();
      await transitions.tick();
      await sync.pullNow();
      await sync.pushNow();
      await provenance.run();
      await registry.tick();
      if ((await store.head()) === before) return;
    }
    log.warn({ rounds: SETTLE_ROUNDS }, 'changes keep causing changes; the heartbeat goes on with them');
  }

  async function start(): Promise<void> {
    await indexFirst(store, parametersOfRoles(roles), log);
    await server.listen({ host: config.host, port: config.port });
    if (config.mllpPort !== undefined) {
      mllp = await startMllpServer({
        host: config.host,
        port: config.mllpPort,
        receive: (bytes) => intake.receive(bytes, 'mllp'),
        refuseTooLong: intake.refuseTooLong,
        keepCut: intake.keepCut,
        maxConnections: config.mllp.maxConnections,
        maxPerAddress: config.mllp.maxPerAddress,
        idleMilliseconds: config.mllp.idleSeconds * 1000,
        frameMilliseconds: config.mllp.messageSeconds * 1000,
        tls: mllpFiles && (() => readCertificates(mllpFiles, 'BATON_MLLP_CLIENT_CA')),
        log,
      });
      write(`HL7 v2 over MLLP on ${config.host}:${mllp.port}\n`);
    }
    write(`listening on ${scheme}://${hostInUrl(config.host)}:${config.port}\n`);
    stopReacting = reactToCommits(store, transitions, log);
    stopPublishing = store.onCommit(subscriptions.wake);
    intake.applying.start();
    sync.follow();
    provenance.follow();
    isStarted = true;
    indexKeeper.start();
    await clockwork.start();
    // After what is overdue. Not waited for: who comes meanwhile is answered, only not as fast.
    prepare();
    // The day goes on for as long as Baton does; how it fares is its story.
    sandbox?.runDay().catch((error) => log.error({ err: error }, 'the sandbox day stopped'));
  }

  async function close(): Promise<void> {
    await sandbox?.stop();
    ending.abort();
    await stopReacting?.();
    stopPublishing?.();
    notify.stop();
    await subscriptions.stop();
    registry.stop();
    await clockwork.stop();
    await indexKeeper.stop();
    await mllp?.close();
    await server.close();
    await intake.applying.stop();
    await sync.stop();
    await provenance.stop();
    await sandbox?.close();
    // A command that only looks leaves no seal: it would cover what it came to verify.
    if (isStarted)
      await trail.seal().catch((error) => log.error({ err: error }, 'the audit trail could not be sealed'));
    await store.close();
  }

  return {
    server,
    store,
    sync,
    transitions,
    deliveries: createDeliveries({ store, clock, parameters, validate }, intake),
    access,
    trail,
    authorization,
    conformance,
    pathwayIssues: (resource, others) => pathwayIssues(resource, [...others, ...profiles]),
    start,
    warmUp: prepare,
    tick,
    renewCertificates() {
      if (tls) renewCertificates(server.server as TlsServer, tls);
      mllp?.renewCertificates();
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** @throws ConfigError, because a profile that is required of a misspelt type would be required of nothing */
function refuseUnknownTypes(types: readonly string[], known: readonly string[]): void {
  const unknown = types.find((type) => !known.includes(type));
  if (unknown === undefined) return;
  throw new ConfigError(`BATON_REQUIRED_PROFILES names ${unknown}, which is no resource type of FHIR R4.`);
}

/** @throws ConfigError for what the files in profiles/ have wrong */
function configured<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof Fault ? new ConfigError(error.message) : error;
  }
}

const hostInUrl = (host: string) => (host.includes(':') ? `[${host}]` : host);

function versionOf(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}
