// Baton between two external servers, all in one process and without sockets: a store in memory, sync on it, and a clock
// that moves when a test says so.
import type { Resource } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { readLabelPolicy } from '../../../src/access/label-policy.ts';
import type { Store } from '../../../src/store/store.ts';
import { readPolicies } from '../../../src/sync/conflicts/policies.ts';
import type { Connection } from '../../../src/sync/connections/settings.ts';
import type { SyncEvent } from '../../../src/sync/context.ts';
import type { MatchRuleSets } from '../../../src/sync/patients/match-rules.ts';
import { createSync, type Sync, type SyncOptions } from '../../../src/sync/sync.ts';
import { testParameters } from '../store-rules.ts';
import { NURSE } from '../sync-world.ts';
import { openTempStore } from '../temp-store.ts';
import { type Bomb, fragile, fragileFetch, STORE_CALLS } from './fragile.ts';
import { type ModelKnobs, type ModelRemote, modelRemote } from './model-remote.ts';

export type ServerName = 'a' | 'b';
export const SERVERS: readonly ServerName[] = ['a', 'b'];

const LABELS = readLabelPolicy(new URL('../../../profiles/access/consent-policy.json', import.meta.url).pathname);
const POLICIES = readPolicies(new URL('../../../profiles/policies', import.meta.url).pathname);

/** Which calls of a process a bomb counts. */
export type Reach = 'exchanges' | 'commits' | 'everything';

export interface TwoServers {
  readonly store: Store;
  readonly remotes: Readonly<Record<ServerName, ModelRemote>>;
  readonly events: SyncEvent[];
  readonly connections: readonly Connection[];
  sync: Sync;
  /** Milliseconds of the machine's clock. */
  now: number;
  /** How far each server's clock is ahead of true time. */
  readonly skew: Record<ServerName, number>;
  /** Lets true time pass, for all clocks. */
  pass(milliseconds: number): void;
  /** Moves the machine's clock only, as somebody who sets it does. */
  turnMachine(milliseconds: number): void;
  write(resource: Resource & { id: string }): Promise<void>;
  remove(type: string, id: string): Promise<void>;
  all<T extends Resource>(type: T['resourceType']): Promise<(T & { id: string })[]>;
  /** A new process on the same store; the earlier one is forgotten wherever it was. */
  start(bomb?: Bomb, reach?: Reach): void;
  cleanup(): Promise<void>;
}

export interface TwoServersOptions {
  readonly knobs: Readonly<Record<ServerName, ModelKnobs>>;
  readonly random: () => number;
  readonly workers?: number;
  readonly types?: Readonly<Record<ServerName, Connection['types']>>;
  /** Absent: patients are matched by identifiers only. */
  readonly matching?: MatchRuleSets;
  readonly connection?: Partial<Connection>;
  /** Of the processes that are to fail. */
  readonly timeout?: Temporal.Duration;
}

const TYPES: Connection['types'] = { Patient: 'both', CarePlan: 'both', Task: 'both' };
const START = Temporal.Instant.from('2026-11-24T12:00:00Z').epochMilliseconds;

export async function openTwoServers(options: TwoServersOptions): Promise<TwoServers> {
  const { knobs, random, workers = 1 } = options;
  let time = START;
  let turned = 0;
  const machine = () => Temporal.Instant.fromEpochMilliseconds(time + turned);
  const clock = { now: machine, real: machine };
  const temp = await openTempStore({ clock });
  const { store } = temp;
  const skew = { a: 0, b: 0 };
  const events: SyncEvent[] = [];
  const make = (name: ServerName) =>
    modelRemote(
      `${name}.test`,
      knobs[name],
      () => time + skew[name],
      () => time,
    );
  const remotes = { a: make('a'), b: make('b') };
  const connections = SERVERS.map(
    (name): Connection => ({
      name,
      baseUrl: remotes[name].baseUrl,
      vendor: 'generic',
      mode: 'both',
      auth: { type: 'none' },
      types: options.types?.[name] ?? TYPES,
      overlapSeconds: 300,
      pullEverySeconds: 60,
      ...options.connection,
    }),
  );
  const route: typeof globalThis.fetch = (input, init) =>
    remotes[String(input).startsWith(remotes.a.baseUrl) ? 'a' : 'b'].fetch(input, init);
  const process = (bomb?: Bomb, reach: Reach = 'everything'): Sync => {
    const rest: Omit<SyncOptions, 'store' | 'fetch'> = {
      clock,
      log: pino({ level: 'silent' }),
      connections,
      baseUrl: 'https://baton.test',
      policies: POLICIES,
      ...(options.matching ? { matching: options.matching } : {}),
      consent: { parameters: testParameters, labels: LABELS },
      emit: (event) => events.push(event),
      workers,
      random,
      wait: async () => undefined,
    };
    if (!bomb) return createSync({ ...rest, store, fetch: route });
    const calls = reach === 'everything' ? STORE_CALLS : new Set(reach === 'commits' ? ['commit'] : []);
    return createSync({
      ...rest,
      ...(options.timeout ? { timeout: options.timeout } : {}),
      store: fragile<Store>(store, calls, bomb),
      fetch: reach === 'commits' ? route : fragileFetch(route, bomb),
    });
  };
  const world: TwoServers = {
    ...{ store, remotes, events, connections, skew },
    sync: process(),
    get now() {
      return time + turned;
    },
    pass(milliseconds) {
      time += milliseconds;
    },
    turnMachine(milliseconds) {
      turned += milliseconds;
    },
    async write(resource) {
      await store.commit(NURSE, [{ op: 'update', resource }]);
    },
    async remove(type, id) {
      await store.commit(NURSE, [{ op: 'delete', type, id }]);
    },
    async all(type) {
      const rows = await store.query("SELECT content FROM resource WHERE type = ? AND content <> ''", [type]);
      return rows.map(({ content }) => JSON.parse(String(content)));
    },
    start(bomb, reach) {
      world.sync = process(bomb, reach);
    },
    async cleanup() {
      await temp.cleanup();
    },
  };
  return world;
}
