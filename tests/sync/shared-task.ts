// A patient of ours, a task of theirs about them, and a plan of ours that refers to it.
import type { CarePlan, Task } from '@medplum/fhirtypes';
import { patient, task, type World } from '../support/sync-world.ts';

/** Resolves to ours; theirs is `r1`, and the patient `p1`. */
export async function shareTask(world: World): Promise<Task & { id: string }> {
  await world.write(patient('p1'));
  await world.sync.pushNow();
  const subject = { reference: `Patient/${world.remote.all('Patient')[0]?.id}` };
  world.remote.put(task('r1', { for: subject, description: 'Call' }));
  await world.sync.pullNow();
  const [ours] = await world.all<Task>('Task');
  return ours as Task & { id: string };
}

export async function planOf(world: World, { id }: Task): Promise<CarePlan & { id: string }> {
  const plan: CarePlan & { id: string } = {
    ...{ resourceType: 'CarePlan', id: 'c1', status: 'active', intent: 'plan', subject: { reference: 'Patient/p1' } },
    activity: [{ reference: { reference: `Task/${id}` } }],
  };
  await world.write(plan);
  await world.sync.pushNow();
  return plan;
}
