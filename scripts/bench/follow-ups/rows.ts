// The rows of group F: sweeps over a database of its own, in processes of their own that did not load it, beside what bare
// inserts of as many resources take on the same machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NODE_FLAGS, ROOT } from '../child.ts';
import { openDatabase } from '../database.ts';
import type { EngineName } from '../workloads/workload.ts';
import type { SweepRow } from './measure.ts';
import { DUE } from './scene.ts';

/** A raised follow-up is a new version of its Task and a CommunicationRequest. */
const RESOURCES_EACH = 2;
const TOGETHER = 500;
const ORDER = ['F none', 'F due', 'F first', 'F start', 'F plan'];
/** Rows of as many due. */
const OF_DUE: ReadonlySet<string> = new Set(['F due', 'F first', 'F start']);

const run = promisify(execFile);

/** @param waiting follow-ups that are not due */
export async function measureSweeps(engine: EngineName, waiting: number): Promise<string> {
  const database = await openDatabase(engine, undefined);
  try {
    const about = [database.url, database.folder, String(waiting)];
    const discharge = (await runScript('load', about)).trim();
    const rows: SweepRow[] = [];
    for (const which of ['start', 'later']) {
      rows.push(...JSON.parse(await runScript('measure', [...about, discharge, which])));
    }
    rows.sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
    const insert = ['scripts/bench/bare/insert.ts', database.url, 'Task', String(TOGETHER)];
    const bare = await run(process.execPath, insert, { cwd: ROOT });
    const { perSecond } = JSON.parse(bare.stdout) as { perSecond: number };
    return tableOf(rows, (DUE * RESOURCES_EACH * 1000) / perSecond);
  } finally {
    await database.close();
  }
}

async function runScript(name: string, argv: readonly string[]): Promise<string> {
  const script = `scripts/bench/follow-ups/${name}.ts`;
  return (await run(process.execPath, [...NODE_FLAGS, script, ...argv], { cwd: ROOT })).stdout;
}

function tableOf(rows: readonly SweepRow[], bareMilliseconds: number): string {
  const short = (value: number) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(2));
  const lines = rows.map(({ name, what, milliseconds, cpuMilliseconds, goal }) => {
    const bare = OF_DUE.has(name)
      ? [short(bareMilliseconds), `${Math.round((bareMilliseconds / milliseconds) * 100)} %`]
      : ['', ''];
    return `| ${[name, what, short(milliseconds), goal === undefined ? '' : `below ${goal}`, short(cpuMilliseconds), ...bare].join(' | ')} |`;
  });
  const head = [
    '| workload | what | ms | goal | CPU ms | bare inserts, ms | ratio |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  return [...head, ...lines].join('\n');
}
