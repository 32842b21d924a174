// The rows of group F: sweeps over a database of its own, in a process of their own, beside what bare inserts of as many
// resources take on the same machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NODE_FLAGS, ROOT } from '../child.ts';
import { openDatabase } from '../database.ts';
import type { EngineName } from '../workloads/workload.ts';
import type { SweepRow } from './measure.ts';

/** A raised follow-up is a new version of its Task and a CommunicationRequest. */
const RESOURCES_EACH = 2;
const DUE = 1_000;
const TOGETHER = 500;

const run = promisify(execFile);

/** @param waiting follow-ups that are not due */
export async function measureSweeps(engine: EngineName, waiting: number): Promise<string> {
  const database = await openDatabase(engine, undefined);
  try {
    const argv = [...NODE_FLAGS, 'scripts/bench/follow-ups/measure.ts', database.url, database.folder, String(waiting)];
    const measured = await run(process.execPath, argv, { cwd: ROOT });
    const rows: SweepRow[] = JSON.parse(measured.stdout);
    const insert = ['scripts/bench/bare/insert.ts', database.url, 'Task', String(TOGETHER)];
    const bare = await run(process.execPath, insert, { cwd: ROOT });
    const { perSecond } = JSON.parse(bare.stdout) as { perSecond: number };
    return tableOf(rows, (DUE * RESOURCES_EACH * 1000) / perSecond);
  } finally {
    await database.close();
  }
}

function tableOf(rows: readonly SweepRow[], bareMilliseconds: number): string {
  const short = (value: number) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(2));
  const lines = rows.map(({ name, what, milliseconds, cpuMilliseconds, goal }) => {
    const bare =
      name === 'F due' || name === 'F first'
        ? [short(bareMilliseconds), `${Math.round((bareMilliseconds / milliseconds) * 100)} %`]
        : ['', ''];
    return `| ${[name, what, short(milliseconds), `below ${goal}`, short(cpuMilliseconds), ...bare].join(' | ')} |`;
  });
  const head = [
    '| workload | what | ms | goal | CPU ms | bare inserts, ms | ratio |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ];
  return [...head, ...lines].join('\n');
}
