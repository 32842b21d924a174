// `npm run bench`: throughput of read, search and create through the whole of Baton (authentication, validation, audit, full
// durability) beside the bare limit on the same machine in the same run. `--write` puts the table into docs/performance.md.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { drive, type Measured } from './bench/load.ts';
import { population, type Resource } from './bench/population.ts';

const PATIENTS = Number(process.env.PATIENTS ?? 500);
const ROOT = join(import.meta.dirname, '..');
const PAGE = new URL('../docs/performance.md', import.meta.url);
const MARKERS = ['<!-- bench -->', '<!-- /bench -->'] as const;

interface Row {
  readonly what: string;
  readonly baton: Measured;
  readonly limit: number;
  readonly goal: number;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'));
const database = join(folder, 'baton.db');
const env = {
  ...process.env,
  BATON_PORT: '0',
  BATON_MLLP_PORT: 'off',
  BATON_SANDBOX: 'off',
  BATON_LOG_LEVEL: 'error',
  BATON_DATABASE_URL: `sqlite:${database}`,
};
const running: { kill(): void }[] = [];

try {
  const rows = await measure();
  const table = markdown(rows);
  console.log(table);
  if (process.argv.includes('--write')) replaceTable(table);
} finally {
  for (const child of running) child.kill();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<Row[]> {
  const url = await start(['src/main.ts']);
  const port = new URL(url).port;
  const token = execFileSync(process.execPath, ['src/cli.ts', 'token'], {
    cwd: ROOT,
    env: { ...env, BATON_PORT: port },
    encoding: 'utf8',
  }).trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
  const groups = population(PATIENTS);
  await load(`${url}/fhir/R4`, headers, groups);
  const resources = groups.flat();
  const ofType = (type: string) => resources.filter(({ resourceType }) => resourceType === type);
  const bare = await start(['scripts/bench/bare-server.ts', database]);

  const sample = ofType('Task').slice(0, 2_000);
  const read = await drive({ url, headers, paths: sample.map(({ id }) => `/fhir/R4/Task/${id}`) });
  const bareRead = await drive({ url: bare, paths: sample.map(({ id }) => `/read/Task/${id}`) });

  const owners = [...new Set(ofType('Task').map((task) => String(task.owner?.reference)))];
  const worklist = owners.map(
    (owner) => `/fhir/R4/Task?owner=${owner}&status=requested,in-progress&_sort=due&_count=50`,
  );
  const search = await drive({ url, headers, paths: worklist });
  const byPatient = ofType('Patient').map(({ id }) => `/fhir/R4/CarePlan?patient=${id}&category=assess-plan`);
  const plans = await drive({ url, headers, paths: byPatient });
  const barePage = await drive({ url: bare, paths: owners.map((_, at) => `/page/Task/${at * 40}`) });

  const bodies = Array.from({ length: 2_000 }, (_, at) => {
    const { id: _id, ...task } = sample[at % sample.length] as Resource;
    const unique = { system: 'urn:bench', value: `created-${at}` };
    return JSON.stringify({ ...task, identifier: [unique] });
  });
  const create = await drive({ url, headers, method: 'POST', paths: ['/fhir/R4/Task'], bodies });
  const inserted = execFileSync(process.execPath, ['scripts/bench/bare-insert.ts', database, 'Task', '64'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const bareInsert = (JSON.parse(inserted) as { perSecond: number }).perSecond;
  return [
    { what: 'read by id', baton: read, limit: bareRead.perSecond, goal: 0.6 },
    { what: 'search: worklist page of 50', baton: search, limit: barePage.perSecond, goal: 0.3 },
    { what: 'search: CarePlan by patient and category', baton: plans, limit: bareRead.perSecond, goal: 0.3 },
    { what: 'create a Task', baton: create, limit: bareInsert, goal: 0.5 },
  ];
}

/** Starts a script of this project and resolves to the URL it listens on. */
function start(script: string[]): Promise<string> {
  const child = spawn(process.execPath, script, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${script[0]} ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
}

async function load(base: string, headers: Record<string, string>, groups: readonly Resource[][]): Promise<void> {
  const size = 20;
  for (let at = 0; at < groups.length; at += size) {
    const entry = groups
      .slice(at, at + size)
      .flat()
      .map((resource) => ({
        resource,
        request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
      }));
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
    const answer = await fetch(base, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`loading failed: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
  }
}

function markdown(rows: readonly Row[]): string {
  const head = `${cpus().length} cores shared with the load driver, ${PATIENTS * 9} resources, 64 connections, Node ${process.version}`;
  const lines = rows.map(({ what, baton, limit, goal }) => {
    const ratio = baton.perSecond / limit;
    const cells = [
      what,
      whole(baton.perSecond),
      whole(limit),
      percent(ratio),
      percent(goal),
      `${baton.p50} / ${baton.p99} ms`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `${head}:`,
    '',
    '| what | Baton, per second | bare limit, per second | ratio | goal | p50 / p99 at full load |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function replaceTable(table: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = MARKERS;
  writeFileSync(
    PAGE,
    `${page.slice(0, page.indexOf(begin) + begin.length)}\n${table}\n${page.slice(page.indexOf(end))}`,
  );
}
