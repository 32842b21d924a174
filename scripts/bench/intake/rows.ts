// The rows of group H: senders in one process, Baton with its MLLP door in another, on SQLite with full durability.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { NODE_FLAGS, ROOT, startListening } from '../child.ts';
import { cpuOf } from '../driver/cpu.ts';
import { type AppliedBacklog, backlogApplied } from './backlog.ts';
import type { Driven } from './drive.ts';
import { COMMITS } from './feed.ts';
import { headOf, type PlanLag, planLag } from './plan-lag.ts';

const CONNECTIONS = 16;
const GOAL = { perSecond: 1_500, p99: 50, lag: 100 };
const run = promisify(execFile);

/** @param profile folder for a CPU profile of Baton, when one is wanted */
export async function measureIntake(seconds: number, profile?: string): Promise<string> {
  const limit = await measureBare(seconds);
  const rows = [`| only keep them (the limit) | ${shown(limit.perSecond)} | ${limit.p99.toFixed(1)} | | |`];
  for (const [name, words] of [
    ['commit acknowledgements (CA): admissions, transfers, updates', ['commits']],
    ['the same with discharges and their transitions', ['commits', 'ends']],
    ['acknowledged when applied (AA): admissions, transfers, updates', []],
    ['the same with discharges and their transitions', ['ends']],
  ] as const) {
    const { perSecond, median, p99, cpu, backlog } = await measureBaton(seconds, words, profile);
    // Acknowledged when it is durable; applied later.
    const goal = words.some((word) => word === 'commits')
      ? `at least ${shown(GOAL.perSecond)}/s, p99 below ${GOAL.p99} ms`
      : '';
    rows.push(
      `| ${name} | ${shown(perSecond)} (median ${median.toFixed(1)} ms) | ${p99.toFixed(1)} | ${cpu.toFixed(2)} | ${goal} |`,
    );
    if (backlog.left > 0) {
      const { left, seconds: took, cpu } = backlog;
      const speed = `${shown(left / took)} (${shown(left)} in ${took.toFixed(1)} s)`;
      rows.push(`| … applied afterwards | ${speed} | | ${cpu.toFixed(2)} | |`);
    }
  }
  const { perSecond, lag, median, p99, cpu } = await measureBaton(seconds, ['ends'], undefined, 1);
  rows.push(
    `| the same over one connection | ${shown(perSecond)} (median ${median.toFixed(1)} ms) | ${p99.toFixed(1)} | ${cpu.toFixed(2)} | |`,
    `| from a discharge to its plan, over one connection | ${lag.planned} of ${lag.discharges} by the end, median ${lag.median} ms | | | median below ${GOAL.lag} ms |`,
  );
  const head = ['| messages | per second | p99, ms | CPU, ms per message | goal |', '| --- | --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}

interface Measured extends Driven {
  readonly perSecond: number;
  readonly cpu: number;
  readonly lag: PlanLag;
  /** CPU in ms per message. */
  readonly backlog: AppliedBacklog & { readonly cpu: number };
}

async function measureBare(seconds: number) {
  const server = spawn(process.execPath, ['scripts/bench/intake/bare.ts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
    return await drive(Number(port), seconds, []);
  } finally {
    server.kill();
  }
}

async function measureBaton(
  seconds: number,
  words: readonly string[],
  profile: string | undefined,
  connections = CONNECTIONS,
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-bench-intake-'));
  const config = join(folder, 'bench.json');
  const facilities = [{ code: 'HARBOR', name: 'Harbor General', zone: 'America/New_York' }];
  await writeFile(config, JSON.stringify({ facilities }));
  const sender = { facility: COMMITS, standsFor: 'HARBOR', acknowledgement: 'enhanced' };
  const senders = join(folder, 'senders');
  await mkdir(senders);
  await writeFile(join(senders, 'commits.json'), JSON.stringify(sender));
  const file = join(folder, 'baton.db');
  const port = await freePort();
  const env = {
    ...process.env,
    BATON_PORT: '0',
    BATON_MLLP_PORT: String(port),
    BATON_SANDBOX: 'off',
    BATON_LOG_LEVEL: 'error',
    BATON_DATABASE_URL: `sqlite:${file}`,
    BATON_CONFIG: config,
    BATON_SENDERS: senders,
  };
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const baton = await startListening([...NODE_FLAGS, ...flags, 'src/main.ts'], env);
  try {
    await drive(port, Math.min(2, seconds), words, connections);
    await backlogApplied(file);
    const [before, begun] = [cpuOf(baton.pid), headOf(file)];
    const driven = await drive(port, seconds, words, connections);
    const after = cpuOf(baton.pid);
    const backlog = await backlogApplied(file);
    return {
      ...driven,
      cpu: (after - before) / driven.messages,
      backlog: { ...backlog, cpu: (cpuOf(baton.pid) - after) / backlog.left },
      lag: planLag(file, begun),
    };
  } finally {
    await baton.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function drive(port: number, seconds: number, words: readonly string[], connections = CONNECTIONS) {
  const about = [String(port), String(connections), String(seconds), String(Date.now() % 1_000_000), ...words];
  const { stdout } = await run(process.execPath, ['scripts/bench/intake/drive.ts', ...about], { cwd: ROOT });
  const driven = JSON.parse(stdout) as Driven;
  return { ...driven, perSecond: driven.messages / driven.seconds };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

const shown = (value: number) => Math.round(value).toLocaleString('en-US');
