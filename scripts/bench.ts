// `npm run bench`: throughput, latency, CPU time and memory of the whole of Baton (authentication, validation, audit, full
// durability) beside the bare limits of the same machine in the same run. docs/performance.md says how to read it.
import { cpus } from 'node:os';
import { type Baton, startBaton } from './bench/baton.ts';
import { type BenchDatabase, openDatabase } from './bench/database.ts';
import { residentOf } from './bench/driver/cpu.ts';
import type { World } from './bench/driver/session.ts';
import { measureSweeps } from './bench/follow-ups/rows.ts';
import { measureInTurn } from './bench/in-turn.ts';
import { measureIntake } from './bench/intake/rows.ts';
import { bareLimits } from './bench/limits.ts';
import { loadCases } from './bench/load-cases.ts';
import { awaitProvenance, loadPopulation } from './bench/load-population.ts';
import { measure } from './bench/measure.ts';
import { type BenchOptions, readOptions, USAGE } from './bench/options.ts';
import { populationOf } from './bench/population/population.ts';
import { connectProfiler, profileTables } from './bench/profile.ts';
import { type Row, tableOf, writeBlock } from './bench/report.ts';
import { measureSync } from './bench/sync/rows.ts';
import { chosen } from './bench/workloads/table.ts';
import type { Workload } from './bench/workloads/workload.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);
/** Follow-ups of group F that are not due. */
const WAITING = 1_000_000;
const whole = (value: number) => Math.round(value).toLocaleString('en-US');

try {
  await bench(readOptions(process.argv.slice(2)));
} catch (error) {
  say(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 1;
}

async function bench(options: BenchOptions): Promise<void> {
  if (options.workloads.length === 0 || options.workloads.some(isSync)) await sync(options);
  if (options.workloads.length === 0 || options.workloads.some(isIntake)) await intake(options);
  if (options.workloads.length === 0 || options.workloads.some(isSweep)) await sweeps(options);
  const others = options.workloads.filter((name) => !isSync(name) && !isIntake(name) && !isSweep(name));
  if (options.workloads.length > 0 && others.length === 0) return;
  const workloads = chosen(others);
  const database = await openDatabase(options.engine, options.keep);
  try {
    const loaded = await fill(database, options);
    const world = { population: populationOf(options.size), run: Date.now() % 1_000_000 };
    if (options.profile) await profile(database, workloads, world, options);
    else await tables(database, workloads, world, options, loaded);
  } finally {
    await database.close();
  }
}

function isSync(name: string): boolean {
  return name.toLowerCase() === 's';
}

function isSweep(name: string): boolean {
  return name.toLowerCase() === 'f';
}

/** Group F has a database and a process of its own. */
async function sweeps({ engine, write }: BenchOptions): Promise<void> {
  const facts = `${engine}, ${whole(WAITING)} open follow-ups, ${cpus().length} cores`;
  const text = `${facts}.\n\n${await measureSweeps(engine, WAITING)}`;
  console.log(`\nF: ${text}`);
  if (write) writeBlock(`${engine} ${WAITING} F`, `**F.** ${text}`);
}

function isIntake(name: string): boolean {
  return name.toLowerCase() === 'h';
}

/** Group H has a server and senders of its own. */
async function intake({ seconds, write }: BenchOptions): Promise<void> {
  const facts = `SQLite, 16 MLLP connections, ${cpus().length} cores shared with the senders`;
  const text = `${facts}.\n\n${await measureIntake(seconds)}`;
  console.log(`\nH: ${text}`);
  if (write) writeBlock('intake H', `**H.** ${text}`);
}

/** Group S has servers and processes of its own. */
async function sync({ size, write, keep }: BenchOptions): Promise<void> {
  const facts = `SQLite, ${whole(size)} resources on a server with 20 ms latency, ${cpus().length} cores shared with it`;
  const text = `${facts}.\n\n${await measureSync(size, keep)}`;
  console.log(`\nS: ${text}`);
  if (write) writeBlock(`sync ${size} S`, `**S.** ${text}`);
}

/** Loads the population unless it is there. @returns a line about it */
async function fill(database: BenchDatabase, { size, cases }: BenchOptions): Promise<string> {
  const population = populationOf(size);
  const name = `${population.size} resources${cases === 0 ? '' : ` and ${cases} cases`}`;
  const besides = cases === 0 ? '' : ` and ${whole(cases)} cases`;
  if (database.holds(name)) return `${whole(population.size)} resources${besides}, loaded before`;
  const baton = await startBaton(database);
  try {
    const begin = performance.now();
    let told = 0;
    await loadPopulation(baton, population, (loaded) => {
      if (loaded - told < 50_000) return;
      told = loaded;
      say(`loaded ${whole(loaded)}, ${whole(loaded / ((performance.now() - begin) / 1000))} a second`);
    });
    const perSecond = population.size / ((performance.now() - begin) / 1000);
    await awaitProvenance(baton);
    const after = residentOf(baton.pid);
    if (cases > 0) await besideThem(database, baton, cases);
    await database.settle();
    database.note(name);
    return `${whole(population.size)} resources${besides}, loaded in transactions of 500 at ${whole(perSecond)} a second (${whole(after)} MiB resident afterwards)`;
  } finally {
    await baton.stop();
  }
}

/** Nobody else may write meanwhile. */
async function besideThem(database: BenchDatabase, baton: Baton, cases: number): Promise<void> {
  await baton.stop();
  const begin = performance.now();
  await loadCases(database, cases, (loaded) => {
    if (loaded % 10_000 > 0) return;
    say(`loaded ${whole(loaded)} cases, ${whole(loaded / ((performance.now() - begin) / 1000))} a second`);
  });
}

async function tables(
  database: BenchDatabase,
  workloads: readonly Workload[],
  world: World,
  options: BenchOptions,
  loaded: string,
): Promise<void> {
  const { engine, seconds } = options;
  const baton = await startBaton(database);
  const limits = bareLimits(database, world, Math.min(seconds, 3));
  const atRest = residentOf(baton.pid);
  const groups = Map.groupBy(workloads, ({ name }) => name.split(' ')[0] ?? '');
  try {
    for (const [group, members] of groups) {
      const rows: Row[] = [];
      for (const workload of members) {
        const row = await measureRow(baton, database, workload, world, seconds, limits);
        if (row) rows.push(row);
      }
      const facts = [
        `${engine}, ${loaded}`,
        `${cpus().length} cores shared with the load driver, Node ${process.version}`,
        `${seconds} s each`,
        `resident memory of Baton ${whole(atRest)} MiB at rest, ${whole(residentOf(baton.pid))} MiB after ${group}`,
        `started in ${whole(baton.startedIn)} ms`,
      ];
      const text = `${facts.join('; ')}.\n\n${tableOf(rows, engine)}`;
      console.log(`\n${group}: ${text}`);
      if (options.write) writeBlock(`${engine} ${options.size} ${group}`, `**${group}.** ${text}`);
    }
  } finally {
    await limits.close();
    await baton.stop();
  }
}

async function measureRow(
  baton: Baton,
  database: BenchDatabase,
  workload: Workload,
  world: World,
  seconds: number,
  limits: ReturnType<typeof bareLimits>,
): Promise<Row | undefined> {
  if (workload.againstUnguarded) {
    return measureInTurn(database, workload, { ...planOf(baton, database, workload, world, seconds), open: false });
  }
  const result = await measure({ ...planOf(baton, database, workload, world, seconds), open: workload.open ?? true });
  if ('skipped' in result) {
    say(`${workload.name}: skipped, ${result.skipped}`);
    return undefined;
  }
  const { measured } = result;
  say(`${workload.name}: ${whole(measured.perSecond)} a second, ${measured.cpu.server.toFixed(3)} ms of CPU each`);
  return { workload, measured, ...(workload.limit ? { limit: await limits.of(workload.limit) } : {}) };
}

function planOf(
  { url, token, pid }: Baton,
  { pid: databasePid }: BenchDatabase,
  workload: Workload,
  world: World,
  seconds: number,
) {
  const { name, connections } = workload;
  const server = { server: pid, ...(databasePid === undefined ? {} : { database: databasePid }) };
  return { workload: name, url, token, world, connections, seconds, ...server };
}

async function profile(
  database: BenchDatabase,
  workloads: readonly Workload[],
  world: World,
  { seconds }: BenchOptions,
): Promise<void> {
  const { promise: address, resolve } = Promise.withResolvers<string>();
  const baton = await startBaton(database, ['--inspect=127.0.0.1:0'], (line) => {
    const found = /ws:\/\/\S+/.exec(line)?.[0];
    if (found) resolve(found);
  });
  const profiler = await connectProfiler(await address);
  try {
    for (const workload of workloads) {
      await profiler.start();
      const result = await measure({ ...planOf(baton, database, workload, world, seconds), open: false });
      const taken = await profiler.stop();
      if ('skipped' in result) continue;
      const { perSecond, cpu } = result.measured;
      console.log(
        `\n## ${workload.name}: ${whole(perSecond)} a second under the profiler, ${cpu.server.toFixed(3)} ms of CPU each`,
      );
      console.log(profileTables(taken));
    }
  } finally {
    profiler.close();
    await baton.stop();
  }
}
