// Processes that share one PostgreSQL and say on standard output how far they are, to be killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import { openStore } from '../../src/store/open.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { testRules } from '../support/store-rules.ts';

/** An empty database of the server, by URL. */
export async function createDatabase(server: Pick<PostgresServer, 'url'>): Promise<string> {
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  await admin.query('CREATE DATABASE baton');
  await admin.end();
  return server.url('baton');
}

export const openShared = (url: string) =>
  openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });

export interface SharedProcess {
  /** What it has said. */
  readonly lines: readonly string[];
  /** Resolves when it has said so many lines. @throws Error when it ends by itself before */
  said(count: number): Promise<void>;
  /** Resolves when it has said another line. */
  more(): Promise<void>;
  /** Resolves when it is gone. */
  kill(): Promise<void>;
}

/** @param script name of a file of this folder */
export function startProcess(script: string, ...words: string[]): SharedProcess {
  const path = join(import.meta.dirname, script);
  const child = spawn(process.execPath, [path, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(reader, 'close');
  let isOver = false;
  ended.then(() => {
    isOver = true;
  });
  const said = async (count: number) => {
    while (lines.length < count && !isOver) await Promise.race([once(reader, 'line'), ended]);
    if (isOver) throw new Error(`${script} ${words.join(' ')} ended by itself.`);
  };
  return {
    lines,
    said,
    more: () => said(lines.length + 1),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
