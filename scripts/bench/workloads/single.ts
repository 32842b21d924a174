// R: one resource read by its id, one resource created; the two that design.md holds against a bare limit.
import { expectResource } from '../driver/checks.ts';
import type { Session, World } from '../driver/session.ts';
import { managerOf } from '../population/population.ts';
import { planId, recordOf } from '../population/record.ts';
import { numbersBelow } from '../population/seeded.ts';
import { taskId } from '../population/work.ts';
import { get, post } from './requests.ts';
import type { Workload } from './workload.ts';

function* readTasks({ population }: World, number: number): Session {
  for (const n of numbersBelow(population.patients, number)) {
    const id = taskId(n, n % 4);
    const answered = expectResource(yield get(`Task/${id}`), 200, 'Task');
    if (answered !== id) throw new Error(`asked for Task/${id}, got Task/${answered}`);
  }
  throw new Error('numbers never end');
}

/** Creates resources of the type that a record has at `position`. */
function createOf(type: string, position: number) {
  return function* create({ population }: World, number: number): Session {
    const bodies = Array.from({ length: 50 }, (_, at) => {
      const n = (number * 50 + at) % population.patients;
      const { id: _id, ...body } = recordOf(n, managerOf(n, population))[position] ?? {};
      return JSON.stringify(body);
    });
    for (let at = 0; ; at++) {
      const body = bodies[at % bodies.length] ?? '';
      expectResource(yield post(type, body), 201, type);
    }
  };
}

function* readPlans({ population }: World, number: number): Session {
  for (const n of numbersBelow(population.patients, number)) {
    expectResource(yield get(`CarePlan/${planId(n)}`), 200, 'CarePlan');
  }
  throw new Error('numbers never end');
}

export const SINGLE: readonly Workload[] = [
  {
    name: 'R task',
    what: 'read a Task by id',
    connections: 64,
    script: { session: readTasks },
    goal: { sqlite: 20_000, postgres: 8_000 },
    limit: { kind: 'read', type: 'Task', count: 1 },
    share: 0.6,
  },
  {
    name: 'R plan',
    what: 'read a CarePlan by id',
    connections: 64,
    script: { session: readPlans },
    limit: { kind: 'read', type: 'CarePlan', count: 1 },
    share: 0.6,
  },
  {
    name: 'A task',
    what: 'read a Task by id, against the same without authentication, authorization and audit',
    connections: 64,
    script: { session: readTasks },
    againstUnguarded: true,
    share: 0.75,
    open: false,
  },
  {
    name: 'C task',
    what: 'create a Task',
    connections: 64,
    script: { session: createOf('Task', 14) },
    limit: { kind: 'insert', type: 'Task', perTransaction: 64 },
    share: 0.5,
  },
  {
    name: 'C plan',
    what: 'create a CarePlan',
    connections: 64,
    script: { session: createOf('CarePlan', 7) },
    limit: { kind: 'insert', type: 'CarePlan', perTransaction: 64 },
    share: 0.5,
  },
];
