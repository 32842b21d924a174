// Two Batons on one PostgreSQL exchange with one server while people edit on both sides, and one after the other is killed.
// Afterwards tells what is not as it must be. By hand: npm run test:kill-syncers -- ROUNDS SEED
import { setTimeout as pause } from 'node:timers/promises';
import type { Task } from '@medplum/fhirtypes';
import { systemClock } from '../../src/clock.ts';
import type { Store } from '../../src/store/store.ts';
import { startFakeRemote } from '../support/fake-remote.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { NURSE, patient, task } from '../support/sync-world.ts';
import { createDatabase, openShared, startProcess } from './postgres-processes.ts';
import { syncOf } from './syncer.ts';

const TASKS = 8;
/** Longer than any lease, for what the last victims held. */
const LATER = Temporal.Duration.from({ minutes: 10 });

export interface SyncerReport {
  readonly kills: number;
  readonly edits: number;
  readonly requests: number;
  /** Sentences about what is wrong; empty when all is well. */
  readonly damage: readonly string[];
}

export async function killPostgresSyncers(rounds: number, seed: number): Promise<SyncerReport> {
  const random = randomFrom(seed);
  const server = await startPostgres();
  const remote = await startFakeRemote();
  try {
    const url = await createDatabase(server);
    const store = await openShared(url);
    const startSyncer = () => startProcess('shared-syncer.ts', url, remote.baseUrl);
    const write = (resource: ReturnType<typeof task>) => store.commit(NURSE, [{ op: 'update', resource }]);
    await write(patient('p1'));
    const running = [startSyncer(), startSyncer()];
    await Promise.all(running.map((one) => one.more()));
    let edits = 0;
    for (let round = 0; round < rounds; round += 1) {
      for (let n = 0; n < TASKS; n += 1) {
        edits += 1;
        await write(task(`r${round}-t${n}`, { description: `edit ${edits}` }));
        await write(task('busy', { description: `edit ${edits}` }));
      }
      const [there] = remote.all('Task') as (Task & { id: string })[];
      if (there) remote.put({ ...there, statusReason: { text: `there ${round}` } });
      await pause(random() * 300);
      const victim = random() < 0.5 ? 0 : 1;
      await running[victim]?.kill();
      running[victim] = startSyncer();
      await running[victim]?.more();
    }
    for (const one of running) await one.kill();
    const later = () => systemClock().real().add(LATER);
    const last = syncOf(store, remote.baseUrl, { now: systemClock().now, real: later });
    for (let again = 0; again < 4; again += 1) {
      await last.pullNow();
      await last.pushNow();
    }
    const damage = differences(await tasksHere(store), remote.all('Task') as Task[]);
    if (remote.all('Patient').length !== 1) damage.push('The patient is there more than once.');
    for (const { outbox, openConflicts } of await last.status()) {
      const left = outbox.queued + outbox.sending + outbox.parked + outbox.rejected + openConflicts;
      if (left > 0) damage.push(`Something is left: ${JSON.stringify({ outbox, openConflicts })}`);
    }
    await last.stop();
    await store.close();
    return { kills: rounds, edits, requests: remote.requests.length, damage };
  } finally {
    await remote.close();
    await server.stop();
  }
}

async function tasksHere(store: Store): Promise<Task[]> {
  const rows = await store.query("SELECT content FROM resource WHERE type = 'Task' AND content <> ''");
  return rows.map(({ content }) => JSON.parse(String(content)));
}

function differences(here: readonly Task[], there: readonly Task[]): string[] {
  const shown = (tasks: readonly Task[]) =>
    tasks.map(({ description, statusReason }) => `${description}, ${statusReason?.text ?? 'no reason'}`).sort();
  const [ours, theirs] = [shown(here), shown(there)];
  const damage = theirs.length > ours.length ? [`${theirs.length} tasks there instead of ${ours.length}.`] : [];
  return [...damage, ...ours.filter((text) => !theirs.includes(text)).map((text) => `Not there: ${text}.`)];
}

if (process.argv[1] === import.meta.filename) {
  const [rounds = 10, seed = 1] = process.argv.slice(2).map(Number);
  const report = await killPostgresSyncers(rounds, seed);
  console.log(report);
  if (report.damage.length > 0) process.exitCode = 1;
}
