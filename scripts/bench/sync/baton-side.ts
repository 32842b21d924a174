// Baton's side of group S: a store, and sync with the benchmark's server.
import { join } from 'node:path';
import { pino } from 'pino';
import { readLabelPolicy } from '../../../src/access/label-policy.ts';
import { systemClock } from '../../../src/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { readPolicies } from '../../../src/sync/conflicts/policies.ts';
import type { Connection, Direction, PullStrategy } from '../../../src/sync/connections/settings.ts';
import type { SyncEvent } from '../../../src/sync/context.ts';
import { createSync, type Sync } from '../../../src/sync/sync.ts';
import { testParameters, testRules } from '../../../tests/support/store-rules.ts';

const PROFILES = new URL('../../../profiles/', import.meta.url).pathname;
const clock = systemClock();
export const benchPolicies = readPolicies(join(PROFILES, 'policies'));

/** @param path of the SQLite file */
export function openBenchStore(path: string): Promise<Store> {
  return openStore({ url: `sqlite:${path}`, clock, log: pino({ level: 'silent' }), ...testRules() });
}

export function benchSync(
  store: Store,
  baseUrl: string,
  strategy: PullStrategy,
  direction: Direction,
  emit: (event: SyncEvent) => void = () => undefined,
): Sync {
  const connection: Connection = {
    name: 'bench',
    baseUrl,
    vendor: 'hapi',
    mode: 'both',
    auth: { type: 'none' },
    types: { Patient: direction, Task: direction },
    strategies: { Task: strategy },
    overlapSeconds: 300,
    pullEverySeconds: 60,
    pacing: { requestsPerSecond: 100_000, concurrency: 32 },
  };
  return createSync({
    store,
    clock,
    log: pino({ level: 'error' }),
    connections: [connection],
    baseUrl: 'https://baton.test',
    fetch,
    policies: benchPolicies,
    consent: { parameters: testParameters, labels: readLabelPolicy(join(PROFILES, 'access/consent-policy.json')) },
    emit,
  });
}

/** @throws when the server was left alone: what then was timed did nothing */
export async function refuseIdle(sync: Sync): Promise<void> {
  for (const { breaker } of await sync.status()) {
    if (breaker.state !== 'closed') throw new Error('The server did not answer in time, and was left alone.');
  }
}
