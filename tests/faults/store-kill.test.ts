// `kill -9` at random moments: what was acknowledged is there, the log has no gap, nothing is half done.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Observation, Patient } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { walkTrail } from '../../src/store/audit-walk.ts';
import type { LogEntry, Store } from '../../src/store/store.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';

const SCRIPT = join(import.meta.dirname, 'store-writer.ts');
const ROUNDS = 3;

interface Writer {
  readonly child: ChildProcess;
  /** Lines it has printed so far. */
  readonly acknowledged: string[];
  /** Resolves when it has printed that many, or has ended. */
  printed(count: number): Promise<void>;
  /** Kills it and resolves when everything it had printed was read. */
  kill(): Promise<void>;
}

function startWriter(path: string, name: string): Writer {
  const child = spawn(process.execPath, [SCRIPT, path, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => acknowledged.push(line));
  const ended = once(lines, 'close');
  return {
    child,
    acknowledged,
    async printed(count) {
      while (acknowledged.length < count && child.exitCode === null) await Promise.race([once(lines, 'line'), ended]);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('a store whose process is killed', () => {
  let temp: TempStore;
  beforeEach(async () => {
    temp = await openTempStore();
    await temp.store.close();
  });
  afterEach(() => temp.cleanup());

  test('keeps what it acknowledged, killed again and again', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const writer = startWriter(temp.path, 'one');
      await writer.printed(1 + Math.floor(Math.random() * 400));
      await writer.kill();
      acknowledged.push(...writer.acknowledged.filter(isWhole));
      await expectSound(await temp.reopen(), acknowledged);
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS);
  });

  test('keeps what two processes acknowledged together when one of them is killed', async () => {
    const [one, two] = [startWriter(temp.path, 'one'), startWriter(temp.path, 'two')];
    await Promise.all([one.printed(100), two.printed(100)]);
    await one.kill();
    await two.printed(two.acknowledged.length + 200);
    expect(two.child.exitCode).toBeNull();
    await two.kill();
    await expectSound(await temp.reopen(), [...one.acknowledged, ...two.acknowledged].filter(isWhole));
  });
});

/** The last line may have been cut by the kill. */
function isWhole(line: string): boolean {
  return /^\w+ [\w-]+ [1-9]\d*$/.test(line);
}

async function expectSound(store: Store, acknowledged: readonly string[]): Promise<void> {
  const log = await store.readLog(0, 1_000_000);
  expect(log.every((entry, index) => entry.sequence === index + 1)).toBe(true);
  const logged = new Set(log.map((entry) => `${entry.type} ${entry.id} ${entry.versionId}`));
  expect(logged.size).toBe(log.length);
  expect(acknowledged.filter((line) => !logged.has(line))).toEqual([]);
  const last = new Map(log.map((entry) => [`${entry.type}/${entry.id}`, entry]));
  const rows = await store.query('SELECT type, id, sequence, version, content FROM resource');
  expect(rows).toHaveLength(last.size);
  for (const row of rows) {
    const entry = last.get(`${row.type}/${row.id}`);
    expect(row).toMatchObject({
      sequence: entry?.sequence,
      version: Number(entry?.versionId),
      content: entry?.content,
    });
  }
  expectWholePairs(last);
  expect(await walkTrail(store)).not.toHaveProperty('brokenAt');
  const [writes] = await store.query('SELECT COUNT(*) AS n FROM audit WHERE version IS NOT NULL');
  expect(writes?.n).toBe(log.length);
}

/** Both halves of a pair are written by one commit, so they are equal. */
function expectWholePairs(last: ReadonlyMap<string, LogEntry>): void {
  for (const [key, entry] of last) {
    if (!key.endsWith('-left')) continue;
    const right = last.get(key.replace('Patient', 'Observation').replace('-left', '-right'));
    const value = (JSON.parse(entry.content) as Patient).identifier?.[0]?.value;
    expect((JSON.parse(right?.content ?? '{}') as Observation).note?.[0]?.text).toBe(value);
  }
}
