// The bare limits, each measured once in a run and only when a workload asks for it.
import { execFileSync } from 'node:child_process';
import { type Listening, ROOT, startListening } from './child.ts';
import type { BenchDatabase } from './database.ts';
import type { World } from './driver/session.ts';
import { measure } from './measure.ts';
import { bareName } from './workloads/bare.ts';
import type { BareLimit } from './workloads/workload.ts';

const CONNECTIONS = 64;

export interface Limits {
  /** Requests, or created resources, per second. */
  of(limit: BareLimit): Promise<number>;
  close(): Promise<void>;
}

export function bareLimits(database: BenchDatabase, world: World, seconds: number): Limits {
  const known = new Map<string, number>();
  let server: Listening | undefined;

  async function measureReads(limit: Extract<BareLimit, { kind: 'read' }>): Promise<number> {
    server ??= await startListening(['scripts/bench/bare/server.ts', database.url], process.env);
    const { url, pid } = server;
    const workload = bareName(limit);
    const result = await measure({ workload, url, world, connections: CONNECTIONS, seconds, open: false, server: pid });
    if ('skipped' in result) throw new Error(`${workload}: ${result.skipped}`);
    return result.measured.perSecond;
  }

  function measureInserts({ type, perTransaction }: Extract<BareLimit, { kind: 'insert' }>): number {
    const argv = ['scripts/bench/bare/insert.ts', database.url, type, String(perTransaction)];
    const printed = execFileSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
    return (JSON.parse(printed) as { perSecond: number }).perSecond;
  }

  return {
    async of(limit) {
      const key = JSON.stringify(limit);
      const before = known.get(key);
      if (before !== undefined) return before;
      const found = limit.kind === 'read' ? await measureReads(limit) : measureInserts(limit);
      known.set(key, found);
      return found;
    },
    async close() {
      await server?.stop();
    },
  };
}
