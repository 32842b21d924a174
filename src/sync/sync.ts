// Two-way exchange with every configured FHIR server. Local effects happen exactly once, because they share a commit with
// their bookkeeping; remote effects at least once, made harmless by If-Match, conditional creates and looking first.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault, Fault } from '../fault.ts';
import type { SigningKey } from '../remote/authorization.ts';
import { createRemote, type Remote } from '../remote/remote.ts';
import type { Actor, Store } from '../store/store.ts';
import type { AlertThresholds } from './alert-kinds.ts';
import { type Conflict, listOpenConflicts } from './conflict.ts';
import { type ConnectionRuns, createConnection } from './connection.ts';
import type { ConnectionContext, ConsentContext, SyncEvent } from './context.ts';
import type { Meter } from './meter.ts';
import { createObserver, type Observer } from './observe.ts';
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
  readonly policies: Policies;
  /** What consents are asked with before a resource is sent. */
  readonly consent: ConsentContext;
  readonly emit?: (event: SyncEvent) => void;
  /** When operators are told; those that are absent as in `alert-kinds.ts`. */
  readonly alerts?: Partial<AlertThresholds> | undefined;
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
  /** The heartbeat: pulls where it is time, and pushes. */
  tick(now: Temporal.Instant): Promise<void>;
  /** Pushes soon after every commit, until `stop`. */
  follow(): void;
  status(): Promise<ConnectionStatus[]>;
  /** What this process has counted since it started. */
  readonly meter: Meter;
  conflicts(name?: string): Promise<Conflict[]>;
  /** @throws Fault not-found | conflict | precondition | invalid | unprocessable */
  resolve(actor: Actor, id: string, resolution: Resolution): Promise<void>;
  /** Finishes the requests under way and starts no more. */
  stop(): Promise<void>;
}

export function createSync(options: SyncOptions): Sync {
  const { store, clock, log } = options;
  const observer = createObserver({ ...options, thresholds: options.alerts, statusOf });
  const { emit, meter } = observer;
  const stopping = new AbortController();
  const working = new Set<Promise<unknown>>();
  const remotes = new Map<string, Remote>();
  const runs = options.connections.map((connection) => {
    const remote = remoteOf(options, connection, observer);
    remotes.set(connection.name, remote);
    const context: ConnectionContext = {
      ...{ connection, remote, store, clock, log, emit, meter, policies: options.policies, consent: options.consent },
      mapping: { remoteBase: remote.baseUrl, ownSystem: `${options.baseUrl}/id` },
      random: options.random ?? Math.random,
      signal: stopping.signal,
    };
    return createConnection(context, options.workers ?? remote.vendor.concurrency);
  });
  let unfollow: (() => void) | undefined;

  function remoteNamed(name: string): Remote {
    const remote = remotes.get(name);
    if (!remote) throw new Fault('fault', `Connection "${name}" has no remote.`);
    return remote;
  }

  function statusOf(connection: Connection): Promise<ConnectionStatus> {
    return connectionStatus(store, connection, remoteNamed(connection.name).breaker.status, clock);
  }

  async function each(
    name: string | undefined,
    work: (run: ConnectionRuns) => Promise<unknown>,
    always = false,
  ): Promise<void> {
    const chosen = runs.filter(({ connection }) => name === undefined || connection.name === name);
    if (name !== undefined && chosen.length === 0) throw new Fault('not-found', `There is no connection "${name}".`);
    if (stopping.signal.aborted) return;
    const all = chosen.map(async (run) => {
      try {
        await observer.begin(run.connection.name, remoteNamed(run.connection.name).breaker);
        await work(run);
      } catch (error) {
        // The store failed or a bug: the rows say what was under way, and the next run goes on from there.
        log.error({ err: asFault(error), connection: run.connection.name }, 'sync run stopped');
      }
      await observer.look(run.connection, always);
    });
    const done = Promise.all(all);
    working.add(done);
    await done.finally(() => working.delete(done));
  }

  return {
    pushNow: (name) => each(name, (run) => run.push()),
    pullNow: (name) => each(name, (run) => run.pull()),
    tick: (now) => each(undefined, (run) => run.tick(now), true),
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
    status: () => Promise.all(runs.map(({ connection }) => statusOf(connection))),
    conflicts: (name) => listOpenConflicts(store, name),
    resolve: (actor, id, resolution) => resolveConflict(store, actor, id, resolution, clock.real().epochMilliseconds),
    async stop() {
      unfollow?.();
      stopping.abort();
      await Promise.all(working);
      await observer.settled();
    },
  };
}

function remoteOf(options: SyncOptions, connection: Connection, { emit, told }: Observer): Remote {
  const { clock, fetch, key } = options;
  return createRemote({
    settings: connection,
    clock,
    fetch,
    key,
    ...told(connection.name),
    onCapabilityChange: () => emit({ connection: connection.name, kind: 'capability' }),
    ...(options.timeout ? { timeout: options.timeout } : {}),
    ...(options.random ? { random: options.random } : {}),
    ...(options.wait ? { wait: options.wait } : {}),
  });
}
