// The rows of group S: a server in one process, Baton's sync in others.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { NODE_FLAGS, ROOT } from '../child.ts';
import type { SyncRow } from './measure.ts';
import { PHASES, type PhaseRow } from './phases.ts';

const TASKS_EACH = 20;
/** Of the server whose links are kept: they lead to its address. */
const KEPT_PORT = 18_421;

/** Megabytes, of which goals speak. */
const MB = 1_000_000;

/**
 * @param size resources on the server; a million takes half an hour to load
 * @param keep folder of a database that is kept, and whose links are used again; then only what goes by their number is measured
 */
export async function measureSync(size: number, keep?: string): Promise<string> {
  const patients = Math.max(1, Math.round(size / (TASKS_EACH + 1)));
  const port = keep === undefined ? 0 : KEPT_PORT;
  const what = [patients, TASKS_EACH, port].map(String);
  const remote = ['--max-old-space-size=8000', 'scripts/bench/sync/remote.ts', ...what];
  const server = spawn(process.execPath, remote, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  const folder = keep ?? (await mkdtemp(join(tmpdir(), 'baton-bench-sync-')));
  try {
    const [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    const path = join(folder, `sync-${size}.db`);
    const run = async (script: string, ...more: string[]) => {
      const argv = [...NODE_FLAGS, `scripts/bench/sync/${script}`, url, path, ...more];
      return JSON.parse((await promisify(execFile)(process.execPath, argv, { cwd: ROOT })).stdout);
    };
    const rows: SyncRow[] = existsSync(path) ? [] : await run('measure.ts');
    for (const phase of ['window', 'search', 'roster', 'roster-again', 'sweep'] as const) {
      rows.push(...rowsOf(await run('phase.ts', phase)));
    }
    return tableOf(rows);
  } finally {
    server.stdin.end();
    if (keep === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** What one pull in a process of its own came to. */
function rowsOf({ phase, links, seconds, rowsRead, peak }: PhaseRow): SyncRow[] {
  const about = { name: `S ${phase}`, more: false };
  const known = `${links.toLocaleString('en-US')} links`;
  return [
    { ...about, what: `${PHASES[phase]}; ${known}`, value: seconds, unit: 's', goal: 0 },
    { ...about, what: 'rows that its queries gave', value: rowsRead, unit: 'rows', goal: 0 },
    { ...about, what: 'most that was resident', value: peak / MB, unit: 'MB', goal: 350 },
  ];
}

function tableOf(rows: readonly SyncRow[]): string {
  const digits = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3));
  const lines = rows.map(({ name, what, value, unit, goal, more }) => {
    const asked = goal === 0 ? '' : `${more ? 'at least' : 'below'} ${digits(goal)}`;
    return `| ${name} | ${what} | ${digits(value)} ${unit} | ${asked} |`;
  });
  return ['| workload | what | measured | goal |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
