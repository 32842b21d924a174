// `kill -9` of Batons that share a PostgreSQL and exchange with one server. docs/sync-spec.md#I2 docs/sync-spec.md#I16
import { expect, it } from 'vitest';
import { killPostgresSyncers } from './kill-postgres-syncers.ts';

it('two Batons on one database make nothing twice and lose nothing when they are killed', async () => {
  const { damage, edits } = await killPostgresSyncers(2, 5);
  expect(damage).toEqual([]);
  expect(edits).toBe(16);
}, 180_000);
