// The thread that appends audit records to a SQLite file: it keeps the chain together with who else writes, waits its turn, and
// says when it cannot.
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AuditEntry } from '../../src/store/audit-entry.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import { SqliteAuditWriter } from '../../src/store/sqlite-audit-writer.ts';
import { create, NURSE, patient } from '../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };

const read = { actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient' } as const;
const entries = (from: number, count: number): AuditEntry[] =>
  Array.from({ length: count }, (_, n) => ({ ...read, id: String(from + n), recorded: 1_000 + n, patients: ['p'] }));

describe('the thread of the audit trail', () => {
  let temp: TempStore;
  let writer: SqliteAuditWriter;
  beforeEach(async () => {
    temp = await openTempStore({ engine: 'sqlite' });
    writer = new SqliteAuditWriter(temp.path);
  });
  afterEach(async () => {
    await writer.close();
    await temp.cleanup();
  });

  const ids = async () => (await temp.store.query('SELECT id FROM audit ORDER BY sequence')).map(({ id }) => id);
  const ready = async () => {
    writer.isWorthwhile(entries(0, 200));
    await vi.waitFor(() => expect(writer.isWorthwhile([])).toBe(true), PATIENCE);
  };

  test('is not started by a few records, and is used for any once it is ready', async () => {
    expect(writer.isWorthwhile(entries(0, 199))).toBe(false);
    expect(writer.isWorthwhile(entries(0, 200))).toBe(false);
    await vi.waitFor(() => expect(writer.isWorthwhile(entries(0, 1))).toBe(true), PATIENCE);
    await writer.close();
    expect(writer.isWorthwhile(entries(0, 200))).toBe(false);
  });

  test('continues the chain of who else writes, in the order in which it was asked', async () => {
    await ready();
    const wanted: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const { length } = wanted;
      await temp.store.commit(NURSE, [create(patient('1'), { id: `w${round}` })]);
      await writer.append(entries(length, 600));
      wanted.push(`w${round}`, ...entries(length, 600).map(({ id }) => id ?? ''));
    }
    expect(await ids()).toEqual(wanted);
    expect(await walkTrail(temp.store)).toEqual({ verified: 2_404, last: 2_404 });
  });

  test('waits for another process that writes', async () => {
    await ready();
    const other = new DatabaseSync(temp.path);
    other.exec('BEGIN IMMEDIATE');
    const waiting = writer.append(entries(0, 10));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await ids()).toEqual([]);
    other.exec('COMMIT');
    other.close();
    await waiting;
    expect(await ids()).toHaveLength(10);
  });

  test('says why a batch was not written, leaves nothing of it, and goes on', async () => {
    await ready();
    const other = new DatabaseSync(temp.path);
    other.exec("CREATE TRIGGER no BEFORE INSERT ON audit WHEN NEW.id = '7' BEGIN SELECT RAISE(ABORT, 'not this'); END");
    await expect(writer.append(entries(0, 10))).rejects.toThrow();
    expect(await ids()).toEqual([]);
    other.exec('DROP TRIGGER no');
    other.close();
    await writer.append(entries(0, 10));
    expect(await ids()).toHaveLength(10);
  });

  test('is never used when it cannot start', async () => {
    const nowhere = new SqliteAuditWriter(join(dirname(temp.path), 'no', 'baton.db'));
    expect(nowhere.isWorthwhile(entries(0, 200))).toBe(false);
    await nowhere.close();
    expect(nowhere.isWorthwhile(entries(0, 200))).toBe(false);
  });
});

test('bursts of records and commits at once keep every record once, in a chain that verifies', async () => {
  const temp = await openTempStore({ engine: 'sqlite' });
  const burst = (from: number) => {
    for (let n = from; n < from + 2_500; n += 1) temp.store.audit({ ...read, id: `r${n}`, patients: [] });
  };
  const written = () => temp.store.query("SELECT COUNT(*) AS n FROM audit WHERE interaction = 'read'");
  for (let round = 0; round < 4; round += 1) {
    burst(2_500 * round);
    await temp.store.commit(NURSE, [create(patient('1'), { id: `w${round}` })]);
    burst(10_000 + 2_500 * round);
    await vi.waitFor(async () => expect(await written()).toEqual([{ n: 5_000 * (round + 1) }]), PATIENCE);
  }
  burst(20_000);
  const store = await temp.reopen();
  expect(await store.query("SELECT COUNT(DISTINCT id) AS n FROM audit WHERE interaction = 'read'")).toEqual([
    { n: 22_500 },
  ]);
  expect(await walkTrail(store)).toEqual({ verified: 22_504, last: 22_504 });
  await temp.cleanup();
});
