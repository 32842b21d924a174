// sync.md B11: `kill -9` of Batons that look after the same follow-ups on one PostgreSQL.
import { expect, it } from 'vitest';
import { killPostgresSweepers } from './kill-postgres-sweepers.ts';

it('two Batons on one database raise every follow-up once when they are killed', async () => {
  const { damage, followUps } = await killPostgresSweepers(2, 5);
  expect(damage).toEqual([]);
  expect(followUps).toBeGreaterThanOrEqual(80);
}, 180_000);
