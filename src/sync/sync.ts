// Two-way exchange with every configured FHIR server. Local effects happen exactly once, because they share a commit with
// their bookkeeping; remote effects at least once, made harmless by If-Match, conditional creates and looking first.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault, Fault } from '../fault.ts';
import type { SigningKey } from '../remote/authorization.ts';
import type { NamedSecret } from '../remote/named-secret.ts';
import { createRemote, type Remote } from '../remote/remote.ts';
import type { Actor, Store } from '../store/store.ts';
import { type Conflict, listOpenConflicts } from './conflict.ts';
import { type ConnectionRuns, createConnection } from './connection.ts';
import type { ConnectionContext, ConsentContext, SyncEvent } from './context.ts';
import { createHints, type Hints } from './hints/hints.ts';
import type { Policies } from './policies.ts';
import { type Resolution, resolveConflict } from './resolve.ts';
import type { Connection } from './settings.ts';
import { type ConnectionStatus, connectionStatus } from './status.ts';

export interface SyncOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly connections: readonly Connection[];
  /** Of this Baton, without trailing slash: our identifier on remote resources is `BASE/id`. */
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  /** Signing key for SMART Backend Services, for all connections. */
  readonly key?: SigningKey | undefined;
  /** Reads the secrets that connections name; without it none can. @throws Fault unavailable | forbidden */
  readonly readSecret?: ((secret: NamedSecret, source: 'file') => string) | undefined;
  readonly policies: Policies;
  /** What consents are asked with before a resource is sent. */
  readonly consent: ConsentContext;
  readonly emit?: (event: SyncEvent) => void;
  /** Outbox rows worked on at a time per connection; as many as the vendor allows when absent. */
  readonly workers?: number;
  /** For each exchange; 30 s when absent. */
  readonly timeout?: Temporal.Duration;
  readonly random?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

export interface Sync {
  /** Sends what is due on one connection, or on all. A connection that fails does not stop the others. */
  pushNow(name?: string): Promise<void>;
  pullNow(name?: string): Promise<void>;
  readonly hints: Hints;
  /** The heartbeat: pulls where it is time, and pushes. */
  tick(now: Temporal.Instant): Promise<void>;
  /** Pushes soon after every commit, until `stop`. */
  follow(): void;
  status(): Promise<ConnectionStatus[]>;
  conflicts(name?: string): Promise<Conflict[]>;
  /** @throws Fault not-found | conflict | precondition | invalid | unprocessable */
  resolve(actor: Actor, id: string, resolution: Resolution): Promise<void>;
  /** Finishes the requests under way and starts no more. */
  stop(): Promise<void>;
}

export function createSync(options: SyncOptions): Sync {
  const { store, clock, log, emit = () => undefined } = options;
  const stopping = new AbortController();
  const working = new Set<Promise<unknown>>();
  const remotes = new Map<string, Remote>();
  const contexts = new Map<string, ConnectionContext>();
  const secretOf = ({ hints }: Connection) => hints?.secret && options.readSecret?.(hints.secret, 'file');
  const hookOf = (connection: Connection) => {
    const secret = connection.hints?.subscribe ? secretOf(connection) : undefined;
    return secret === undefined ? undefined : { url: `${options.baseUrl}/hooks/${connection.name}`, secret };
  };
  const runs = options.connections.map((connection) => {
    const remote = remoteOf(options, connection, emit);
    remotes.set(connection.name, remote);
    const context: ConnectionContext = {
      ...{ connection, remote, store, clock, log, emit, policies: options.policies, consent: options.consent },
      mapping: { remoteBase: remote.baseUrl, ownSystem: `${options.baseUrl}/id` },
      random: options.random ?? Math.random,
      signal: stopping.signal,
      hook: () => hookOf(connection),
    };
    contexts.set(connection.name, context);
    return createConnection(context, options.workers ?? remote.vendor.concurrency);
  });
  let unfollow: (() => void) | undefined;

  async function each(name: string | undefined, work: (run: ConnectionRuns) => Promise<unknown>): Promise<void> {
    const chosen = runs.filter(({ connection }) => name === undefined || connection.name === name);
    if (name !== undefined && chosen.length === 0) throw new Fault('not-found', `There is no connection "${name}".`);
    if (stopping.signal.aborted) return;
    const all = chosen.map(async (run) => {
      try {
        await work(run);
      } catch (error) {
        // The store failed or a bug: the rows say what was under way, and the next run goes on from there.
        log.error({ err: asFault(error), connection: run.connection.name }, 'sync run stopped');
      }
    });
    const done = Promise.all(all);
    working.add(done);
    await done.finally(() => working.delete(done));
  }

  return {
    pushNow: (name) => each(name, (run) => run.push()),
    pullNow: (name) => each(name, (run) => run.pull()),
    hints: createHints({
      find: (name) => contexts.get(name),
      secretOf(name) {
        const connection = contexts.get(name)?.connection;
        return connection && secretOf(connection);
      },
      take: (name) => each(name, (run) => run.takeHints()),
    }),
    tick: (now) => each(undefined, (run) => run.tick(now)),
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
    status: () =>
      Promise.all(
        runs.map(({ connection }) => {
          const breaker = remotes.get(connection.name)?.breaker;
          if (!breaker) throw new Fault('fault', `Connection "${connection.name}" has no remote.`);
          return connectionStatus(store, connection, breaker.status);
        }),
      ),
    conflicts: (name) => listOpenConflicts(store, name),
    resolve: (actor, id, resolution) => resolveConflict(store, actor, id, resolution, clock.real().epochMilliseconds),
    async stop() {
      unfollow?.();
      stopping.abort();
      await Promise.all(working);
    },
  };
}

function remoteOf(options: SyncOptions, connection: Connection, emit: (event: SyncEvent) => void): Remote {
  const { clock, fetch, key, log } = options;
  const known = { connection: connection.name };
  return createRemote({
    settings: connection,
    clock,
    fetch,
    key,
    onBreaker: ({ state }) => {
      log.warn({ ...known, state }, 'connection changed its state');
      emit({ ...known, kind: 'breaker', state });
    },
    onCapabilityChange: () => emit({ ...known, kind: 'capability' }),
    ...(options.timeout ? { timeout: options.timeout } : {}),
    ...(options.random ? { random: options.random } : {}),
    ...(options.wait ? { wait: options.wait } : {}),
  });
}
