// A real store, a fake remote and sync between them, on a clock that a test can turn.

import type { Resource } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { readLabelPolicy } from '../../src/access/label-policy.ts';
import type { Actor, StoredVersion } from '../../src/store/store.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import type { SyncEvent } from '../../src/sync/context.ts';
import { readMatchRules } from '../../src/sync/patients/match-rules.ts';
import { createSync, type Sync, type SyncOptions } from '../../src/sync/sync.ts';
import { type FakeRemote, startFakeRemote } from './fake-remote.ts';
import type { Knobs } from './fake-remote-knobs.ts';
import { testParameters } from './store-rules.ts';
import { openTempStore, type TempStore } from './temp-store.ts';

export const NURSE: Actor = { reference: 'Practitioner/nurse', kind: 'user' };
const LABELS = readLabelPolicy(new URL('../../profiles/access/consent-policy.json', import.meta.url).pathname);
const MATCHING = readMatchRules(new URL('../../profiles/matching', import.meta.url).pathname);
const POLICIES = readPolicies(new URL('../../profiles/policies', import.meta.url).pathname);

export interface World {
  readonly temp: TempStore;
  readonly remote: FakeRemote;
  /** All of them, by the name of their connection; `remote` is that of `ehr`. */
  readonly remotes: Readonly<Record<string, FakeRemote>>;
  sync: Sync;
  readonly events: SyncEvent[];
  readonly connection: Connection;
  /** Moves the machine's clock, so that leases and backoffs end. */
  pass(duration: Temporal.DurationLike): void;
  /** A local write; resolves to the stored version. */
  write(resource: Resource & { id: string }): Promise<StoredVersion>;
  read<T extends Resource>(type: T['resourceType'], id: string): Promise<T | undefined>;
  /** All current local resources of a type. */
  all<T extends Resource>(type: T['resourceType']): Promise<(T & { id: string })[]>;
  /** Sync of another process on the same database; whoever asks stops it. */
  another(): Sync;
  /** As after a crash: store and sync are opened again. */
  restart(overrides?: (store: SyncOptions['store']) => Partial<SyncOptions>): Promise<void>;
  cleanup(): Promise<void>;
}

export interface WorldOptions {
  /** More routes of the fake remote. */
  readonly extend?: Parameters<typeof startFakeRemote>[1];
  readonly knobs?: Partial<Knobs>;
  readonly connection?: Partial<Connection>;
  /** Further servers, by the name of their connection. */
  readonly others?: Readonly<Record<string, { knobs?: Partial<Knobs>; connection?: Partial<Connection> }>>;
  /** Overrides that hold until the first restart. */
  readonly sync?: (store: SyncOptions['store']) => Partial<SyncOptions>;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const remote = await startFakeRemote(options.knobs, options.extend);
  let shift = 0;
  const machine = () => Temporal.Now.instant().add({ milliseconds: shift });
  const clock = { now: machine, real: machine };
  const temp = await openTempStore({ clock });
  const connection: Connection = {
    name: 'ehr',
    baseUrl: remote.baseUrl,
    vendor: 'generic',
    mode: 'both',
    auth: { type: 'none' },
    types: { Patient: 'both', CarePlan: 'both', Goal: 'both', Task: 'both' },
    overlapSeconds: 300,
    pullEverySeconds: 60,
    ...options.connection,
  };
  const remotes: Record<string, FakeRemote> = { ehr: remote };
  const connections: Connection[] = [connection];
  for (const [name, other] of Object.entries(options.others ?? {})) {
    const further = await startFakeRemote(other.knobs);
    remotes[name] = further;
    connections.push({ ...connection, ...other.connection, name, baseUrl: further.baseUrl });
  }
  const events: SyncEvent[] = [];
  const make = (overrides: Partial<SyncOptions> = {}) =>
    createSync({
      store: temp.store,
      clock,
      log: pino({ level: 'silent' }),
      connections,
      baseUrl: 'https://baton.test',
      fetch: globalThis.fetch,
      policies: POLICIES,
      matching: MATCHING,
      consent: { parameters: testParameters, labels: LABELS },
      emit: (event) => events.push(event),
      workers: 1,
      random: () => 0,
      wait: async () => undefined,
      ...overrides,
    });
  const world: World = {
    temp,
    remote,
    remotes,
    events,
    connection,
    sync: make(options.sync?.(temp.store)),
    pass(duration) {
      shift += Temporal.Duration.from(duration).total('milliseconds');
    },
    async write(resource) {
      await temp.store.commit(NURSE, [{ op: 'update', resource }]);
      const stored = await temp.store.read(resource.resourceType, resource.id);
      if (!stored) throw new Error('not stored');
      return stored;
    },
    async read(type, id) {
      const stored = await temp.store.read(type, id);
      return stored && stored.operation !== 'delete' ? JSON.parse(stored.content) : undefined;
    },
    async all(type) {
      const { items } = await temp.store.history({ type, count: 1000 });
      const newest = new Map(items.toReversed().map((item) => [item.id, item]));
      return [...newest.values()].filter((item) => item.content !== '').map((item) => JSON.parse(item.content));
    },
    another: () => make(options.sync?.(temp.store)),
    async restart(overrides) {
      await world.sync.stop();
      await temp.reopen();
      world.sync = make(overrides?.(temp.store));
    },
    async cleanup() {
      await world.sync.stop();
      await temp.cleanup();
      for (const one of Object.values(remotes)) await one.close();
    },
  };
  return world;
}

export function patient(id: string, fields: object = {}): Resource & { id: string } {
  return { resourceType: 'Patient', id, name: [{ family: 'Rivera' }], birthDate: '1950-02-01', ...fields };
}

export function carePlan(id: string, fields: object = {}): Resource & { id: string } {
  return {
    resourceType: 'CarePlan',
    id,
    status: 'active',
    intent: 'plan',
    title: 'Transition',
    subject: { reference: 'Patient/p1' },
    ...fields,
  };
}

export function task(id: string, fields: object = {}): Resource & { id: string } {
  return {
    resourceType: 'Task',
    id,
    status: 'requested',
    intent: 'order',
    description: 'Call the patient',
    for: { reference: 'Patient/p1' },
    ...fields,
  };
}
