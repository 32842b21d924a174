// `kill -9` at random moments, also of two processes at once: the trail verifies with its seals and its file, and every version
// is in exactly one Provenance.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Provenance } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openKeys } from '../../src/access/keys.ts';
import { createProvenanceWriter } from '../../src/audit/provenance-writer.ts';
import { createTrail } from '../../src/audit/trail.ts';
import { systemClock } from '../../src/clock.ts';
import { type OpenStore, openStore } from '../../src/store/open.ts';
import { testRules } from '../support/store-rules.ts';

const SCRIPT = join(import.meta.dirname, 'trail-writer.ts');
const ROUNDS = 2;
/** As in trail-writer.ts. */
const RECORDS_PER_BURST = 300;
const clock = systemClock();
const log = pino({ level: 'silent' });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-trail-kill-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Kills the process after so many lines, and a moment that depends on what it prints. @returns lines that it has printed */
async function runAndKill(name: string, least: number): Promise<number> {
  const child = spawn(process.execPath, [SCRIPT, folder, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const ended = once(lines, 'close');
  let printed = 0;
  lines.on('line', () => {
    printed += 1;
  });
  for (let n = 0; n < least && child.exitCode === null; n += 1) await Promise.race([once(lines, 'line'), ended]);
  child.kill('SIGKILL');
  await ended;
  return printed;
}

async function opened<T>(work: (store: OpenStore) => Promise<T>): Promise<T> {
  const store = await openStore({ url: `sqlite:${join(folder, 'baton.db')}`, clock, log, ...testRules() });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

test('a killed Baton leaves a trail that verifies', { timeout: 120_000 }, async () => {
  let bursts = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const seals = () => 1 + Math.floor(Math.random() * 6);
    const other = round % 2 === 0 ? 'two' : 'reader';
    const [, printed] = await Promise.all([runAndKill('one', seals()), runAndKill(other, seals())]);
    if (other === 'reader') bursts += printed;
    await opened(async (store) => {
      const [found] = await store.query("SELECT COUNT(*) AS n FROM audit WHERE id LIKE 'reader-%'");
      expect(Number(found?.n)).toBeGreaterThanOrEqual(RECORDS_PER_BURST * bursts);
      const trail = createTrail({ store, clock, log, keys: await openKeys(folder), dataDir: folder });
      const verdict = await trail.verify();
      expect(verdict.reason).toBeUndefined();
      expect(verdict.seals).toBeGreaterThan(0);
    });
  }
  await opened(async (store) => {
    await createProvenanceWriter({ store, baseUrl: 'https://baton.test', log }).run();
    const versions = await store.query("SELECT type, id, version FROM version WHERE type <> 'Provenance'");
    const made = versions.map(({ type, id, version }) => `${type}/${id}/_history/${version}`);
    const provenances = await store.query("SELECT content FROM version WHERE type = 'Provenance'");
    const told = provenances.flatMap(({ content }) =>
      (JSON.parse(String(content)) as Provenance).target.map(({ reference }) => reference),
    );
    expect(told.toSorted()).toEqual(made.toSorted());
  });
});
