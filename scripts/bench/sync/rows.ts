// The rows of group S: a server in one process, Baton's sync in another.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { NODE_FLAGS, ROOT } from '../child.ts';
import type { SyncRow } from './measure.ts';

const TASKS_EACH = 20;

/** @param size resources on the server; a million takes minutes to load */
export async function measureSync(size: number): Promise<string> {
  const patients = Math.max(1, Math.round(size / (TASKS_EACH + 1)));
  const remote = ['scripts/bench/sync/remote.ts', String(patients), String(TASKS_EACH)];
  const server = spawn(process.execPath, remote, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const folder = await mkdtemp(join(tmpdir(), 'baton-bench-sync-'));
    const argv = [...NODE_FLAGS, 'scripts/bench/sync/measure.ts', url, folder];
    const measuring = promisify(execFile)(process.execPath, argv, { cwd: ROOT });
    return tableOf(JSON.parse((await measuring).stdout));
  } finally {
    server.stdin.end();
  }
}

function tableOf(rows: readonly SyncRow[]): string {
  const digits = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3));
  const lines = rows.map(({ name, what, value, unit, goal, more }) => {
    const asked = goal === 0 ? '' : `${more ? 'at least' : 'below'} ${digits(goal)}`;
    return `| ${name} | ${what} | ${digits(value)} ${unit} | ${asked} |`;
  });
  return ['| workload | what | measured | goal |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
