// What people do with follow-ups, as single commits.
import type { Task } from '@medplum/fhirtypes';
import { parseVersion } from '../../src/care/stored.ts';
import { touched } from '../../src/care/touched.ts';
import { Fault } from '../../src/fault.ts';
import type { Actor, Outcome, Store } from '../../src/store/store.ts';

/**
 * Records that a follow-up was done.
 * @param id of the Task
 * @param now when it was done
 * @throws Fault not-found; unprocessable when the Task has ended another way; precondition when it changed meanwhile
 */
export async function completeTask(
  store: Store,
  actor: Actor,
  id: string,
  now: Temporal.Instant,
  note?: string,
): Promise<Outcome | undefined> {
  const version = await store.read('Task', id);
  if (!version || version.operation === 'delete') throw new Fault('not-found', `There is no Task/${id}.`);
  const task = parseVersion(version, 'Task');
  if (task.status === 'completed') return undefined;
  const done = touched(task, now);
  const resource: Task = {
    ...done,
    status: 'completed',
    executionPeriod: { ...task.executionPeriod, end: done.lastModified },
    ...(note ? { note: [...(task.note ?? []), { text: note, time: done.lastModified }] } : {}),
  };
  const [outcome] = await store.commit(actor, [{ op: 'update', resource, ifMatch: version.versionId }]);
  return outcome;
}
