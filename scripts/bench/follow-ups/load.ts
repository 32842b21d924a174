// Loads group F: follow-ups of which most wait. argv: database URL, folder, how many wait. In a process of its own, as all of
// it was compiled and cached by who loaded it. Prints when the patients went home.
import type { Patient, Task } from '@medplum/fhirtypes';
import type { App } from '../../../src/app.ts';
import { findResources } from '../../../src/care/stored.ts';
import { dischargeOf } from './discharges.ts';
import { DUE, NURSE, open, opensAt, SWEEPS, second } from './scene.ts';
import { addWaiting } from './waiting.ts';

/** Follow-ups of one patient in one sweep. */
const EACH = 50;

const [, , url = '', folder = '', waiting = '1000000'] = process.argv;

const app = await open(url, folder);
const discharge = Temporal.Now.instant().subtract({ hours: 2 });
const template = await makeTransitions(app);
await app.close();
await addWaiting(url, template, Number(waiting));
console.log(String(discharge));

/** Twenty discharges with fifty follow-ups each for every sweep. @returns id of one of these */
async function makeTransitions({ store, transitions }: App): Promise<string> {
  for (let n = 0; n < DUE / EACH; n += 1) {
    const patient: Patient = { resourceType: 'Patient', id: `bench-${n}` };
    await store.commit(NURSE, [{ op: 'update', resource: patient }]);
    await store.commit(NURSE, [{ op: 'update', resource: dischargeOf(`bench-${n}`, `bench-${n}`, second(discharge)) }]);
  }
  await transitions.run();
  for (let n = 0; n < DUE / EACH; n += 1) {
    const own = await findResources(store, 'Task', { patient: `Patient/bench-${n}` });
    const [one] = own;
    if (!one) throw new Error('The discharge made no follow-up.');
    const ended = own.map((task): Task => ({ ...task, status: 'cancelled' }));
    await store.commit(
      NURSE,
      ended.map((resource) => ({ op: 'update', resource })),
    );
    for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
      const due = Array.from({ length: EACH }, (_, at) =>
        dueTask(one, `bench-${sweep}-${at}`, opensAt(discharge, sweep)),
      );
      await store.commit(
        NURSE,
        due.map((resource) => ({ op: 'create', resource })),
      );
    }
  }
  await transitions.run();
  const [model] = await findResources(store, 'Task', { patient: 'Patient/bench-0', status: 'requested', _count: '1' });
  if (!model?.id) throw new Error('No follow-up waits.');
  return model.id;
}

function dueTask(task: Task, step: string, opens: Temporal.Instant): Task {
  const { id: _, meta: __, ...rest } = task;
  const episode = task.groupIdentifier?.value;
  return {
    ...rest,
    identifier: [{ system: 'urn:baton:follow-up', value: `${episode}|${step}|1` }],
    restriction: { period: { start: second(opens), end: second(opens.add({ hours: 48 })) } },
  };
}
