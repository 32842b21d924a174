// Rows of numbers as Markdown, and their place in docs/performance.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './child.ts';
import type { Measured } from './driver/plan.ts';
import type { EngineName, Workload } from './workloads/workload.ts';

const PAGE = join(ROOT, 'docs/performance.md');

export interface Row {
  readonly workload: Workload;
  readonly measured: Measured;
  /** Resources, or requests, a second of the bare limit. */
  readonly limit?: number;
}

const COLUMNS = [
  'workload',
  'what',
  'per second',
  'goal',
  'bare limit',
  'ratio',
  'goal',
  'p50 / p95 / p99 at half of peak, ms',
  'CPU ms: Baton, database, driver',
];

const whole = (value: number) => Math.round(value).toLocaleString('en-US');
const percent = (value: number) => `${Math.round(value * 100)} %`;
/** Two or three digits that count. */
const short = (value: number) => (value >= 100 ? whole(value) : String(Number(value.toPrecision(value < 1 ? 2 : 3))));

/** A table of the rows, one line each. */
export function tableOf(rows: readonly Row[], engine: EngineName): string {
  const lines = rows.map(({ workload, measured, limit }) => {
    const { goal, share, name, what, resources } = workload;
    const perSecond = measured.perSecond * (resources?.() ?? 1);
    const { latencies, cpu } = measured;
    return [
      name,
      what,
      whole(perSecond),
      goal ? whole(goal[engine]) : '',
      limit === undefined ? '' : whole(limit),
      limit === undefined ? '' : percent(perSecond / limit),
      limit === undefined || share === undefined ? '' : percent(share),
      latencies ? [latencies.p50, latencies.p95, latencies.p99].map(short).join(' / ') : '',
      // A process of the database that ended meanwhile takes its time along.
      [cpu.server, cpu.database, cpu.driver].map((ms) => (ms < 0 ? 'unknown' : short(ms))).join(', '),
    ];
  });
  return [COLUMNS, COLUMNS.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Replaces the block of this name in docs/performance.md, or adds it before the end marker. */
export function writeBlock(name: string, text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end, last] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`, '<!-- bench: the end -->'];
  const block = `${begin}\n${text}\n${end}`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from >= 0 && to > from) writeFileSync(PAGE, page.slice(0, from) + block + page.slice(to + end.length));
  else if (page.includes(last)) writeFileSync(PAGE, page.replace(last, `${block}\n\n${last}`));
  else throw new Error(`${PAGE} has no place for tables: the line ${last} is missing.`);
}
