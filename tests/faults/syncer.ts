// Sync with one server as the processes of these tests run it.
import { pino } from 'pino';
import { readLabelPolicy } from '../../src/access/label-policy.ts';
import type { Clock } from '../../src/clock.ts';
import type { Store } from '../../src/store/store.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import { createSync, type Sync } from '../../src/sync/sync.ts';
import { testParameters } from '../support/store-rules.ts';

const PROFILES = new URL('../../profiles', import.meta.url).pathname;

export function syncOf(store: Store, baseUrl: string, clock: Clock): Sync {
  return createSync({
    store,
    clock,
    log: pino({ level: 'silent' }),
    connections: [
      {
        name: 'ehr',
        baseUrl,
        vendor: 'generic',
        mode: 'both',
        auth: { type: 'none' },
        types: { Patient: 'both', Task: 'both' },
        overlapSeconds: 300,
        pullEverySeconds: 1,
        pacing: { requestsPerSecond: 1_000, concurrency: 4 },
      },
    ],
    baseUrl: 'https://baton.test',
    fetch,
    policies: readPolicies(`${PROFILES}/policies`),
    consent: { parameters: testParameters, labels: readLabelPolicy(`${PROFILES}/access/consent-policy.json`) },
  });
}
