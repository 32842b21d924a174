// `kill -9` of Baton processes that share a PostgreSQL, and of the database itself.
import { expect, it } from 'vitest';
import { killPostgresWriters } from './kill-postgres-writers.ts';

it('loses nothing, doubles nothing and leaves nothing half done', async () => {
  const report = await killPostgresWriters(3, 11, 60);
  expect(report.damage).toEqual([]);
  expect(report.crashes).toBe(1);
  expect(report.acknowledged).toBeGreaterThan(200);
}, 180_000);
