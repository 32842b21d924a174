// A database of an earlier Baton, with what is in it, is brought up to this one: each engine, from before follow-ups.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import { openStore } from '../../src/store/open.ts';
import type { Statement } from '../../src/store/store.ts';
import { makePostgresDatabase } from '../support/postgres-database.ts';
import { create, NURSE, patient, update } from '../support/store-fixtures.ts';
import { testRules } from '../support/store-rules.ts';

const MIGRATIONS = join(import.meta.dirname, '../../src/store/migrations');
const FIRST_NEW = '0022';

const delivery = (key: string, outcome: string): Statement => ({
  sql: 'INSERT INTO delivery (channel, key, received, body, answer, outcome) VALUES (?, ?, ?, ?, ?, ?)',
  params: ['mllp', key, 1, Buffer.from('MSH|'), 'MSA|', outcome],
});
const link = (id: string, how: string): Statement => ({
  sql: 'INSERT INTO identity (connection, type, local_id, remote_id, state, how, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  params: ['epic', 'Patient', id, `remote-${id}`, 'linked', how, 1],
});

test.for(['sqlite', 'postgres'] as const)('on %s', async (engine) => {
  const directory = mkdtempSync(join(tmpdir(), 'baton-upgrade-'));
  const earlier = join(directory, 'migrations');
  for (const name of readdirSync(MIGRATIONS).filter((each) => each < FIRST_NEW))
    cpSync(join(MIGRATIONS, name), join(earlier, name));
  const postgres = engine === 'postgres' ? await makePostgresDatabase(true) : undefined;
  const url = postgres?.url ?? `sqlite:${join(directory, 'baton.db')}`;
  const open = (migrations: string) =>
    openStore({ url, migrations, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });

  const before = await open(earlier);
  await before.commit(NURSE, [create(patient('1'), { id: 'a' })]);
  await before.commit(
    NURSE,
    [update(patient('2', { id: 'a' }))],
    [delivery('1', 'AA'), delivery('2', 'AE'), link('a', 'created-by-us'), link('b', 'created-by-them')],
  );
  const log = await before.readLog(0, 10);
  await before.close();

  const after = await open(MIGRATIONS);
  expect(await after.readLog(0, 10)).toEqual(log);
  expect(await after.query('SELECT key, outcome, attempts, original, dismissed_by FROM delivery ORDER BY key')).toEqual(
    [
      { key: '1', outcome: 'AA', attempts: 1, original: null, dismissed_by: null },
      { key: '2', outcome: 'AE', attempts: 1, original: null, dismissed_by: null },
    ],
  );
  expect(await after.query('SELECT local_id, how FROM identity ORDER BY local_id')).toEqual([
    { local_id: 'a', how: 'created-by-us' },
    { local_id: 'b', how: 'created-by-them' },
  ]);
  expect(await after.commit(NURSE, [update(patient('3', { id: 'a' }))])).toMatchObject([{ versionId: '3' }]);
  expect(await walkTrail(after)).toEqual({ verified: 3, last: 3 });
  await after.close();

  await postgres?.drop();
  rmSync(directory, { recursive: true });
});
