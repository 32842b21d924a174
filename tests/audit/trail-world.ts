// A trail with records of every kind, seals in the database and in a file, and ways to tamper with it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Keys } from '../../src/access/keys.ts';
import { sealFile } from '../../src/audit/seal-file.ts';
import { createTrail, type Trail } from '../../src/audit/trail.ts';
import type { Actor, SqlValue } from '../../src/store/store.ts';
import { create, observation, patient, update } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { testKeys } from '../support/test-keys.ts';

export const NURSE: Actor = {
  reference: 'Practitioner/nurse',
  kind: 'user',
  client: 'app',
  origin: 'epic',
  address: '10.0.0.1',
  purposes: ['TREAT', 'HPAYMT'],
  emergency: 'btg-1',
  requestId: 'request-1',
};

export interface TrailWorld {
  readonly temp: TempStore;
  readonly trail: Trail;
  readonly keys: Keys;
  /** audit-seals.jsonl */
  readonly file: string;
  /** So many records, and a seal after each five of them. */
  fill(records: number): Promise<void>;
  /** Runs a statement on the database, as somebody would who has its password. */
  tamper(sql: string, params?: readonly SqlValue[]): Promise<void>;
  /** What is broken; undefined when nothing is. */
  broken(): Promise<string | undefined>;
  another(keepDays?: number): Trail;
  cleanup(): Promise<void>;
}

export async function makeTrailWorld(keepDays?: number): Promise<TrailWorld> {
  const temp = await openTempStore();
  const dataDir = await mkdtemp(join(tmpdir(), 'baton-trail-'));
  const keys = await testKeys();
  const another = (days?: number) =>
    createTrail({
      store: temp.store,
      clock: temp.clock,
      log: pino({ level: 'silent' }),
      keys,
      dataDir,
      keepDays: days,
    });
  const trail = another(keepDays);
  return {
    temp,
    trail,
    keys,
    file: sealFile(dataDir),
    another,
    async fill(records) {
      const { store } = temp;
      for (let n = 1; n <= records; n += 1) {
        if (n % 3 === 0) {
          store.audit({
            actor: NURSE,
            interaction: 'search-type',
            action: 'E',
            status: 200,
            type: 'Task',
            query: `n=${n}`,
            patients: ['a', 'b'],
          });
          await store.commit(NURSE, [], [{ sql: 'UPDATE setting SET value = value', params: [] }]);
        } else if (n % 2 === 0) await store.commit(NURSE, [create(observation('Patient/a'))]);
        else await store.commit(NURSE, [update(patient(String(n), { id: 'a' }))]);
        if (n % 5 === 0) await trail.seal();
      }
    },
    async tamper(sql, params = []) {
      await temp.store.commit(NURSE, [], [{ sql, params }]);
    },
    broken: async () => (await trail.verify()).reason,
    async cleanup() {
      await temp.cleanup();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
