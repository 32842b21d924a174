// Two servers asked the same in turn, on, off, off, on…: what else the machine does then falls on both alike.
import { startUnguarded } from './baton.ts';
import type { BenchDatabase } from './database.ts';
import type { DrivePlan, Measured } from './driver/plan.ts';
import { measure } from './measure.ts';
import type { Row } from './report.ts';
import type { Workload } from './workloads/workload.ts';

/** Single rounds differ by half on a machine that others use as well. */
const ROUNDS = 20;

/** The medians of several rounds, against Baton without authentication, authorization and audit. */
export async function measureInTurn(database: BenchDatabase, workload: Workload, plan: DrivePlan): Promise<Row> {
  const unguarded = await startUnguarded(database);
  const { token: _token, ...open } = plan;
  const [on, off]: [Measured[], Measured[]] = [[], []];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const without = { ...open, url: unguarded.url, server: unguarded.pid };
      const turns = [
        { name: 'with', asked: plan, results: on },
        { name: 'without', asked: without, results: off },
      ];
      for (const { name, asked, results } of round % 2 === 0 ? turns : turns.toReversed()) {
        const measured = await once(asked);
        results.push(measured);
        process.stderr.write(`${workload.name}, round ${round + 1}, ${name}: ${told(measured)}\n`);
      }
    }
  } finally {
    await unguarded.stop();
  }
  return { workload, measured: median(on), limit: median(off).perSecond };
}

async function once(plan: DrivePlan): Promise<Measured> {
  const result = await measure(plan);
  if ('skipped' in result) throw new Error(`${plan.workload}: ${result.skipped}`);
  return result.measured;
}

const told = ({ perSecond, cpu }: Measured) =>
  `${Math.round(perSecond)} a second, ${cpu.server.toFixed(3)} ms of CPU each`;

function median(results: readonly Measured[]): Measured {
  const sorted = results.toSorted((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[sorted.length >> 1];
  if (!middle) throw new Error('Nothing was measured.');
  return middle;
}
