// Two-way exchange with every configured FHIR server. Local effects happen exactly once, because they share a commit with
// their bookkeeping; remote effects at least once, made harmless by If-Match, conditional creates and looking first.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault, Fault } from '../fault.ts';
import type { SigningKey } from '../remote/authorization.ts';
import type { BreakerStatus } from '../remote/breaker.ts';
import { createRemote, type Remote } from '../remote/remote.ts';
import { type Actor, BATON, type Store } from '../store/store.ts';
import type { AlertThresholds } from './alert-kinds.ts';
import { readBreaker, saveBreaker } from './breaker-row.ts';
import { type Conflict, listOpenConflicts } from './conflict.ts';
import { type ConnectionRuns, createConnection } from './connection.ts';
import type { ConnectionContext, ConsentContext, SyncEvent } from './context.ts';
import { createMeter, type Meter } from './meter.ts';
import type { Policies } from './policies.ts';
import { type Resolution, resolveConflict } from './resolve.ts';
import type { Connection } from './settings.ts';
import { type ConnectionStatus, connectionStatus } from './status.ts';
import { createWatch } from './watch.ts';

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
  const meter = createMeter();
  const emit = (event: SyncEvent) => {
    meter.event(event);
    watch.note(event);
    options.emit?.(event);
  };
  const statusOf = (connection: Connection) =>
    connectionStatus(store, connection, breakerOf(connection.name).status, clock);
  const watch = createWatch({ store, clock, log, thresholds: options.alerts, emit, statusOf });
  const stopping = new AbortController();
  const working = new Set<Promise<unknown>>();
  const remotes = new Map<string, Remote>();
  const runs = options.connections.map((connection) => {
    const remote = remoteOf(options, connection, emit, meter, keepBreaker);
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
  let restored: Promise<unknown> | undefined;

  function breakerOf(name: string): Remote['breaker'] {
    const breaker = remotes.get(name)?.breaker;
    if (!breaker) throw new Fault('fault', `Connection "${name}" has no remote.`);
    return breaker;
  }

  /** As they stood when the process before this one ended. */
  async function restoreBreakers(): Promise<void> {
    for (const [name, { breaker }] of remotes) {
      const before = await readBreaker(store, name);
      if (before && breaker.status.state === 'closed') breaker.restore(before);
    }
  }

  function keepBreaker(name: string, status: BreakerStatus): void {
    const saving = store.commit(BATON, [], [saveBreaker(name, status)]).catch((error: unknown) => {
      log.error({ err: asFault(error), connection: name }, 'the state of the breaker is not kept');
    });
    working.add(saving);
    void saving.finally(() => working.delete(saving));
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
        restored ??= restoreBreakers();
        await restored;
        await work(run);
      } catch (error) {
        // The store failed or a bug: the rows say what was under way, and the next run goes on from there.
        log.error({ err: asFault(error), connection: run.connection.name }, 'sync run stopped');
        restored = undefined;
      }
      await watch.look(run.connection, always);
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
    },
  };
}

function remoteOf(
  options: SyncOptions,
  connection: Connection,
  emit: (event: SyncEvent) => void,
  meter: Meter,
  keep: (name: string, status: BreakerStatus) => void,
): Remote {
  const { clock, fetch, key } = options;
  const known = { connection: connection.name };
  return createRemote({
    settings: connection,
    clock,
    fetch,
    key,
    onBreaker: (status) => {
      keep(connection.name, status);
      emit({ ...known, kind: 'breaker', state: status.state });
    },
    onExchange: (exchange) => meter.exchange(connection.name, exchange),
    onCapabilityChange: () => emit({ ...known, kind: 'capability' }),
    ...(options.timeout ? { timeout: options.timeout } : {}),
    ...(options.random ? { random: options.random } : {}),
    ...(options.wait ? { wait: options.wait } : {}),
  });
}
