// Four processes write to one PostgreSQL while one after the other is killed at random and replaced, and now and then the
// database itself is; somebody follows the log all the time. Afterwards tells what is not as it must be.
// By hand: npm run test:kill-postgres -- ROUNDS SEED
import { walkTrail } from '../../src/store/audit-walk.ts';
import type { LogEntry, Store } from '../../src/store/store.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { createDatabase, openShared, type SharedProcess, startProcess } from './postgres-processes.ts';
import { findDamage, type Said } from './shared-log.ts';

const PROCESSES = 4;
/** Every so many rounds the database is killed, too. */
const CRASH_EVERY = 3;

export interface KillReport {
  readonly acknowledged: number;
  readonly refused: number;
  readonly logged: number;
  readonly kills: number;
  readonly crashes: number;
  /** Sentences about what is wrong; empty when all is well. */
  readonly damage: readonly string[];
}

/** @param lines a round lasts until its victim has said up to this many more */
export async function killPostgresWriters(rounds: number, seed: number, lines = 300): Promise<KillReport> {
  const random = randomFrom(seed);
  const server = await startPostgres();
  try {
    const url = await createDatabase(server);
    let started = 0;
    const all: SharedProcess[] = [];
    const begin = () => {
      const writer = startProcess('shared-writer.ts', url, `w${started++}`);
      all.push(writer);
      return writer;
    };
    // They all start on an empty database: one of them makes the tables.
    const running = Array.from({ length: PROCESSES }, begin);
    await Promise.all(running.map((writer) => writer.said(20)));
    const store = await openShared(url);
    const follower = followLog(store);
    let crashes = 0;
    for (let round = 1; round <= rounds; round++) {
      const victim = Math.floor(random() * PROCESSES);
      const writer = running[victim] as SharedProcess;
      await writer.said(writer.lines.length + 1 + Math.floor(random() * lines));
      if (round % CRASH_EVERY === 0) {
        await server.crash();
        crashes++;
      }
      await writer.kill();
      running[victim] = begin();
      await Promise.all(running.map((each) => each.said(each.lines.length + 30)));
    }
    for (const writer of running) await writer.kill();
    const seen = await follower.stop();
    const said = sayings(all.flatMap((writer) => writer.lines));
    const damage = [...(await findDamage(store, said, seen)), ...(await auditDamage(store))];
    await store.close();
    const { acknowledged, refused } = said;
    return {
      acknowledged: acknowledged.length,
      refused: refused.length,
      logged: seen.length,
      kills: rounds,
      crashes,
      damage,
    };
  } finally {
    await server.stop();
  }
}

/** The last line of a killed writer may have been cut. */
function sayings(lines: readonly string[]): Said {
  const acknowledged = lines.filter((line) => /^\+ \w+ [\w-]+ [1-9]\d*$/.test(line)).map((line) => line.slice(2));
  const refused = lines.filter((line) => /^- w\d+-\d+-\d+$/.test(line)).map((line) => line.slice(2));
  return { acknowledged, refused };
}

/** Reads the log as a consumer does: whenever somebody has committed, from where it stopped. */
function followLog(store: Store): { stop(): Promise<LogEntry[]> } {
  const seen: LogEntry[] = [];
  let reading: Promise<void> = Promise.resolve();
  const read = async () => {
    for (;;) {
      const entries = await store.readLog(seen.at(-1)?.sequence ?? 0, 500);
      if (entries.length === 0) return;
      seen.push(...entries);
    }
  };
  const more = () => {
    // While the database is down there is nothing to read; the next commit wakes it again.
    reading = reading.then(read).catch(() => undefined);
  };
  const unfollow = store.onCommit(more);
  more();
  return {
    async stop() {
      unfollow();
      await reading;
      await read();
      return seen;
    },
  };
}

async function auditDamage(store: Store): Promise<string[]> {
  const { brokenAt } = await walkTrail(store);
  return brokenAt === undefined ? [] : [`The audit chain is broken at ${brokenAt}.`];
}

if (process.argv[1] === import.meta.filename) {
  const [rounds = 20, seed = 1] = process.argv.slice(2).map(Number);
  const report = await killPostgresWriters(rounds, seed);
  console.log(report);
  if (report.damage.length > 0) process.exitCode = 1;
}
