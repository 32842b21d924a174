// Two-way exchange with every configured FHIR server. Local effects happen exactly once, because they share a commit with
// their bookkeeping; remote effects at least once, made harmless by If-Match, conditional creates and looking first.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault, Fault } from '../fault.ts';
import { NO_SECRETS, type SigningKeys } from '../remote/authorization.ts';
import type { NamedSecret, ReadSecret } from '../remote/named-secret.ts';
import { createRemote, type Remote } from '../remote/remote.ts';
import type { Actor, Store } from '../store/store.ts';
import type { AlertThresholds } from './alerts/alert-kinds.ts';
import type { Meter } from './alerts/meter.ts';
import { createObserver, type Observer } from './alerts/observe.ts';
import { type Conflict, listOpenConflicts } from './conflicts/conflict.ts';
import type { Policies } from './conflicts/policies.ts';
import { checkConnection } from './connections/check-connection.ts';
import type { CheckReport } from './connections/check-report.ts';
import { type ConnectionRuns, createConnection } from './connections/connection.ts';
import { type ManageConnections, manageConnections } from './connections/manage-connections.ts';
import { runConnections } from './connections/running-connections.ts';
import type { Connection, ConnectionSource } from './connections/settings.ts';
import type { ConnectionContext, ConsentContext, SyncEvent } from './context.ts';
import { createHints, type Hints } from './hints/hints.ts';
import { type MessageKeeping, messageRetention } from './messages/message-retention.ts';
import { type SyncOperations, syncOperations } from './operations.ts';
import { decideMatch, type MatchDecision } from './patients/decide-match.ts';
import { type AskedQuestion, listQuestions } from './patients/identity-question.ts';
import { type MatchRuleSets, matchingOf } from './patients/match-rules.ts';
import { type ConnectionHealth, type ConnectionStatus, connectionHealth, connectionStatus } from './status.ts';

export interface SyncOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the configuration file; those of the table are added. */
  readonly connections: readonly Connection[];
  /** Of this Baton, without trailing slash: our identifier on remote resources is `BASE/id`. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Signing keys for SMART Backend Services, for all connections. */
  readonly keys?: SigningKeys | undefined;
  /** Reads the secrets that connections name; without it none can. @throws Fault unavailable | forbidden */
  readonly readSecret?: ((secret: NamedSecret, source: ConnectionSource) => string) | undefined;
  readonly policies: Policies;
  /** Absent: patients are matched by identifiers only. */
  readonly matching?: MatchRuleSets;
  /** What consents are asked with before a resource is sent. */
  readonly consent: ConsentContext;
  readonly emit?: (event: SyncEvent) => void;
  /** How long messages are kept; for ever when absent. */
  readonly messages?: MessageKeeping;
  /** When operators are told; those that are absent as in `alert-kinds.ts`. */
  readonly alerts?: Partial<AlertThresholds> | undefined;
  /** Outbox rows worked on at a time per connection; half as many again as requests when absent. */
  readonly workers?: number | undefined;
  /** For each exchange; 30 s when absent. */
  readonly timeout?: Temporal.Duration;
  readonly random?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

export interface Sync extends SyncOperations {
  /** Sends what is due on one connection, or on all. A connection that fails does not stop the others. */
  pushNow(name?: string): Promise<void>;
  pullNow(name?: string): Promise<void>;
  /**
   * Compares everything that is linked with everything that is there, and asks after what is missing.
   * @param options `lost`: a person says that the server lost what is missing, so that ours is made there again
   */
  sweep(name?: string, options?: { readonly lost?: boolean }): Promise<void>;
  readonly hints: Hints;
  /**
   * The heartbeat: pulls where it is time, and pushes. What is still at it from an earlier beat is left to that one, so that a
   * server that takes hours holds up nobody else. Resolves when what it began has ended.
   */
  tick(now: Temporal.Instant): Promise<void>;
  /** Pushes soon after every commit, until `stop`. */
  follow(): void;
  status(): Promise<ConnectionStatus[]>;
  readonly connections: ManageConnections;
  /** Looks at the server of a connection, and changes nothing. @throws Fault not-found */
  checkConnection(name: string): Promise<CheckReport>;
  /** What this process has counted since it started. */
  readonly meter: Meter;
  /** Names of the connections that run here; of what belongs to others nobody is asked anything. */
  names(): Promise<string[]>;
  /** Open ones that can be decided. */
  conflicts(name?: string): Promise<Conflict[]>;
  /** Remote records that may be somebody of ours, with the candidates. @param all those put off as well */
  matches(name?: string, all?: boolean): Promise<AskedQuestion[]>;
  /** @throws Fault not-found | conflict | unprocessable */
  decideMatch(actor: Actor, id: string, decision: MatchDecision): Promise<void>;
  /** Finishes the requests under way and starts no more. */
  stop(): Promise<void>;
}

/** While the server answers some, the next are got ready. It is not asked for more at a time: src/remote/pacing.ts. */
const ROWS_TO_A_REQUEST = 1.5;

export function createSync(options: SyncOptions): Sync {
  const { store, clock, log } = options;
  const observer = createObserver({ ...options, thresholds: options.alerts, healthOf });
  const { emit, meter } = observer;
  const stopping = new AbortController();
  const working = new Set<Promise<unknown>>();
  const secretOf = ({ hints }: Connection, source: ConnectionSource) =>
    hints?.secret && options.readSecret?.(hints.secret, source);
  const hookOf = (connection: Connection, source: ConnectionSource) => {
    const secret = connection.hints?.subscribe ? secretOf(connection, source) : undefined;
    return secret === undefined ? undefined : { url: `${options.baseUrl}/hooks/${connection.name}`, secret };
  };
  function make(connection: Connection, source: ConnectionSource) {
    const remote = remoteOf(options, connection, source, observer);
    const context: ConnectionContext = {
      ...{ connection, remote, store, clock, log, emit, meter, policies: options.policies, consent: options.consent },
      matching: matchingOf(options.matching ?? {}, connection.matching),
      mapping: { remoteBase: remote.baseUrl, ownSystem: `${options.baseUrl}/id` },
      random: options.random ?? Math.random,
      signal: stopping.signal,
      hook: () => hookOf(connection, source),
    };
    return {
      runs: createConnection(context, options.workers ?? Math.ceil(remote.concurrency * ROWS_TO_A_REQUEST)),
      remote,
    };
  }
  const running = runConnections(options.connections, make, store, log);
  const connections = manageConnections({
    ...{ store, clock, running, onRemoved: endAlerts },
    mayName: (secret) => options.readSecret?.(secret, 'ops'),
    canRun: ({ matching }) => void matchingOf(options.matching ?? {}, matching),
  });
  const retention = messageRetention(store, clock, log, options.messages ?? {});
  let unfollow: (() => void) | undefined;
  /** Connections whose last beat is still at work. */
  const beating = new Set<ConnectionRuns>();

  async function healthOf({ name }: Connection): Promise<ConnectionHealth> {
    const { runs, remote } = runningOf(name);
    return connectionHealth(store, runs.connection, remote.breaker.status, clock);
  }

  async function statusOf({ name }: Connection): Promise<ConnectionStatus> {
    const { runs, remote, source } = runningOf(name);
    return connectionStatus(store, runs.connection, remote.breaker.status, source, clock);
  }

  function runningOf(name: string) {
    const found = running.find(name);
    if (found) return found;
    throw new Fault('not-found', `There is no connection "${name}".`);
  }

  async function each(
    name: string | undefined,
    work: (run: ConnectionRuns) => Promise<unknown>,
    always = false,
  ): Promise<void> {
    if (stopping.signal.aborted) return;
    try {
      await running.ready();
    } catch (error) {
      log.error({ err: asFault(error) }, 'the connections could not be read');
      return;
    }
    const runs = running.all().map((one) => one.runs);
    const chosen = runs.filter(({ connection }) => name === undefined || connection.name === name);
    if (name !== undefined && chosen.length === 0) throw new Fault('not-found', `There is no connection "${name}".`);
    if (stopping.signal.aborted) return;
    const all = chosen.map(async (run) => {
      try {
        const remote = running.find(run.connection.name)?.remote;
        if (remote) await observer.begin(run.connection.name, remote.breaker);
        await work(run);
      } catch (error) {
        // The store failed or a bug: the rows say what was under way, and the next run goes on from there.
        log.error({ err: asFault(error), connection: run.connection.name }, 'sync run stopped');
      }
      await observer.look(run.connection, always);
    });
    await track(Promise.all(all));
  }

  function endAlerts(): Promise<void> {
    return observer.lookAfterDeleted((name) => running.find(name) !== undefined);
  }

  async function tick(now: Temporal.Instant): Promise<void> {
    // Another process may have changed them, or have told of one that was deleted before it knew.
    if (!stopping.signal.aborted) {
      await running.refresh();
      await endAlerts();
    }
    await each(undefined, (run) => beat(run, now), true);
    if (!stopping.signal.aborted) await retention.tick();
  }

  async function beat(run: ConnectionRuns, now: Temporal.Instant): Promise<void> {
    if (beating.has(run)) return;
    beating.add(run);
    try {
      await run.tick(now);
    } finally {
      beating.delete(run);
    }
  }

  function track<T>(work: Promise<T>): Promise<T> {
    working.add(work);
    return work.finally(() => working.delete(work));
  }

  async function find(name: string): Promise<ConnectionRuns> {
    await running.ready();
    return runningOf(name).runs;
  }

  async function names(name?: string): Promise<string[]> {
    await running.ready();
    const all = running.all().map(({ runs }) => runs.connection.name);
    return name === undefined ? all : all.filter((one) => one === name);
  }

  return {
    pushNow: (name) => each(name, (run) => run.push()),
    pullNow: (name) => each(name, (run) => run.pull()),
    hints: createHints({
      find(name) {
        const runs = running.find(name)?.runs;
        return runs && { ...runs.context, connection: runs.connection };
      },
      secretOf(name) {
        const found = running.find(name);
        return found && secretOf(found.runs.connection, found.source);
      },
      take: (name) => each(name, (run) => run.takeHints()),
    }),
    sweep: (name, { lost = false } = {}) => each(name, (run) => run.sweep(lost)),
    tick: (now) => track(tick(now)),
    follow() {
      let waiting = false;
      // However many commits there are during a push, one more push follows it.
      unfollow ??= store.onCommit(() => {
        if (waiting) return;
        waiting = true;
        setImmediate(() => {
          waiting = false;
          void each(undefined, (run) => run.push());
        });
      });
    },
    meter,
    async status() {
      await running.ready();
      return Promise.all(running.all().map(({ runs }) => statusOf(runs.connection)));
    },
    connections,
    async checkConnection(name) {
      const { connection, source } = await connections.read(name);
      const remote = remoteOf(options, connection, source);
      try {
        const readSecret = secretsFor(options, source);
        const others = running
          .all()
          .map(({ runs }) => runs.connection)
          .filter((other) => other.name !== name);
        return await checkConnection({ connection, others, remote, readSecret, store, now: clock.real() });
      } finally {
        await remote.close();
      }
    },
    names: () => names(),
    conflicts: async (name) => listOpenConflicts(store, await names(name)),
    ...syncOperations({ store, clock, find, track }),
    matches: async (name, all) =>
      listQuestions(store, await names(name), all ? undefined : clock.real().epochMilliseconds),
    decideMatch: (actor, id, decision) => decideMatch(store, actor, id, decision, clock.real().epochMilliseconds),
    async stop() {
      unfollow?.();
      stopping.abort();
      running.halt();
      await Promise.allSettled(working);
      await running.close();
      await observer.settled();
    },
  };
}

const secretsFor = ({ readSecret }: SyncOptions, source: ConnectionSource): ReadSecret =>
  readSecret ? (secret) => readSecret(secret, source) : NO_SECRETS;

/** @param observer absent: nobody is told of its state */
function remoteOf(options: SyncOptions, connection: Connection, source: ConnectionSource, observer?: Observer): Remote {
  const { clock, fetch, keys } = options;
  return createRemote({
    settings: connection,
    clock,
    fetch,
    keys,
    readSecret: secretsFor(options, source),
    ...(observer?.told(connection.name) ?? { onBreaker: () => undefined }),
    ...(options.timeout ? { timeout: options.timeout } : {}),
    ...(options.random ? { random: options.random } : {}),
    ...(options.wait ? { wait: options.wait } : {}),
  });
}
