// W2: of a hundred requests ten create, sixty read, twenty-five update and five delete, in mixed order.
import { expectResource, expectStatus } from '../driver/checks.ts';
import type { Session, World } from '../driver/session.ts';
import { managerOf } from '../population/population.ts';
import { planId, recordOf } from '../population/record.ts';
import { chance, numbersBelow } from '../population/seeded.ts';
import { taskId } from '../population/work.ts';
import { get, post, put, remove } from './requests.ts';
import type { Workload } from './workload.ts';

const STATUSES = ['requested', 'accepted', 'in-progress', 'on-hold'];
/** Positions in a record. */
const [WEIGHT, TASK] = [11, 14];

function* mix({ population, run }: World, number: number): Session {
  const created: string[] = [];
  const records = numbersBelow(population.patients, number * 2 + 1);
  for (let step = 0; ; step++) {
    const n = records.next().value;
    const turn = chance(step, number + run, 100);
    if (turn < 10 || (turn < 15 && created.length === 0)) {
      created.push(expectResource(yield post('Observation', observation(n, population)), 201, 'Observation'));
    } else if (turn < 15) {
      expectStatus(yield remove(`Observation/${created.shift()}`), 200, 204);
    } else if (turn < 40) {
      const task = taskIn(n, STATUSES[step % STATUSES.length] ?? '', population);
      expectResource(yield put(`Task/${task.id}`, task.body), 200, 'Task');
    } else if (turn < 70) {
      expectResource(yield get(`Task/${taskId(n, turn % 4)}`), 200, 'Task');
    } else {
      expectResource(yield get(`CarePlan/${planId(n)}`), 200, 'CarePlan');
    }
  }
}

function observation(n: number, population: World['population']): string {
  const { id: _id, ...body } = recordOf(n, managerOf(n, population))[WEIGHT] ?? {};
  return JSON.stringify(body);
}

function taskIn(n: number, status: string, population: World['population']): { id: string; body: string } {
  const task = recordOf(n, managerOf(n, population))[TASK];
  return { id: task?.id ?? '', body: JSON.stringify({ ...task, status }) };
}

export const W2: readonly Workload[] = [
  {
    name: 'W2 mixed',
    what: 'mixed: 10 % create, 60 % read, 25 % update, 5 % delete',
    connections: 64,
    script: { session: mix },
  },
];
