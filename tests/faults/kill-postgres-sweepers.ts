// Two Batons on one PostgreSQL look after the same follow-ups, and one after the other is killed. Afterwards tells what is
// not as it must be: everything due raised, each once. By hand: npm run test:kill-sweepers -- ROUNDS SEED
import { setTimeout as pause } from 'node:timers/promises';
import type { Task } from '@medplum/fhirtypes';
import type { Store } from '../../src/store/store.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { randomFrom } from '../support/seeded-random.ts';
import { DISCHARGED, discharged, patient } from '../transitions/hospital.ts';
import { createDatabase, openShared, startProcess } from './postgres-processes.ts';

const EACH_ROUND = 40;
const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;
const MOST_TICKS = 400;

export interface SweeperReport {
  readonly kills: number;
  readonly followUps: number;
  /** Sentences about what is wrong; empty when all is well. */
  readonly damage: readonly string[];
}

export async function killPostgresSweepers(rounds: number, seed: number): Promise<SweeperReport> {
  const random = randomFrom(seed);
  const server = await startPostgres();
  try {
    const url = await createDatabase(server);
    const store = await openShared(url);
    const { serviceProvider: _, diagnosis: __, ...stay } = discharged();
    for (const resource of [patient(), stay]) await store.commit(NURSE, [{ op: 'update', resource }]);
    const start = Temporal.Instant.from(DISCHARGED).add({ minutes: 5 }).toString();
    const startSweeper = () => startProcess('shared-sweeper.ts', url, start);
    const running = [startSweeper(), startSweeper()];
    await Promise.all(running.map((one) => one.more()));
    const [model] = await tasksOf(store);
    if (!model) return { kills: 0, followUps: 0, damage: ['The discharge began no transition.'] };
    for (let round = 0; round < rounds; round += 1) {
      await store.commit(
        NURSE,
        Array.from({ length: EACH_ROUND }, (_, n) => followUp(model, `r${round}-${n}`)),
      );
      await pause(random() * 200);
      const victim = random() < 0.5 ? 0 : 1;
      await running[victim]?.kill();
      running[victim] = startSweeper();
    }
    for (let tick = 0; tick < MOST_TICKS && (await waiting(store)) > 0; tick += 1) await running[tick % 2]?.more();
    for (const one of running) await one.kill();
    const damage = await damageOf(store);
    const followUps = (await tasksOf(store)).length;
    await store.close();
    return { kills: rounds, followUps, damage };
  } finally {
    await server.stop();
  }
}

function followUp(model: Task, step: string) {
  const { id: _, meta: __, ...rest } = model;
  const identifier = [{ system: 'urn:baton:follow-up', value: `${model.groupIdentifier?.value}|${step}|1` }];
  const resource: Task = {
    ...rest,
    identifier,
    status: 'requested',
    businessStatus: {
      coding: [{ system: 'https://baton.health/fhir/CodeSystem/follow-up-status', code: 'scheduled' }],
    },
    // The deadline is the model's: its clock was counted from that, and another would be a change of its own.
    restriction: { period: { ...model.restriction?.period, start: DISCHARGED } },
  };
  return { op: 'create' as const, resource };
}

async function tasksOf(store: Store): Promise<Task[]> {
  const rows = await store.query("SELECT content FROM resource WHERE type = 'Task' AND deleted = 0 ORDER BY rid");
  return rows.map(({ content }) => JSON.parse(String(content)) as Task);
}

const isAdded = (task: Task) => task.identifier?.[0]?.value?.includes('|r') ?? false;
const clockOf = (task: Task) => task.businessStatus?.coding?.[0]?.code;

async function waiting(store: Store): Promise<number> {
  return (await tasksOf(store)).filter((task) => isAdded(task) && clockOf(task) === 'scheduled').length;
}

async function damageOf(store: Store): Promise<string[]> {
  const damage: string[] = [];
  const requests = await store.query("SELECT content FROM resource WHERE type = 'CommunicationRequest'");
  const about = requests.map(({ content }) => JSON.parse(String(content)).about?.[0]?.reference as string);
  for (const task of (await tasksOf(store)).filter(isAdded)) {
    const name = task.identifier?.[0]?.value?.split('|')[1];
    if (clockOf(task) !== 'due') damage.push(`${name} is ${clockOf(task)}, not due.`);
    if (task.meta?.versionId !== '2') damage.push(`${name} has version ${task.meta?.versionId}, not 2.`);
    const told = about.filter((reference) => reference === `Task/${task.id}`).length;
    if (told !== 1) damage.push(`${name} was told ${told} times.`);
  }
  return damage;
}

if (process.argv[1] === import.meta.filename) {
  const [rounds = 10, seed = 1] = process.argv.slice(2).map(Number);
  const report = await killPostgresSweepers(rounds, seed);
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.damage.length > 0 ? 1 : 0;
}
