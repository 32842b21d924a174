// A step that joins a plan late works towards the same goals as one that was there from the start.
import type { Goal, PlanDefinition, Resource, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { goalsOf } from '../../src/care/transition/follow-up.ts';
import { artifacts } from '../care/artifacts.ts';
import { discharged, HIGH_RISK, type Hospital, openHospital } from './hospital.ts';

let hospital: Hospital;
let transitions: ReturnType<Hospital['openTransitions']>;
beforeEach(async () => {
  hospital = await openHospital();
  transitions = hospital.openTransitions({ artifacts: artifacts.map(withGoals) });
  await hospital.put(discharged(HIGH_RISK));
  await transitions.run();
});
afterEach(() => hospital.temp.cleanup());

/** Equipment is for two goals: to stay at home, and one of its own that no other step works towards. */
function withGoals(resource: Resource): Resource {
  if (resource.resourceType !== 'PlanDefinition' || !resource.url?.endsWith('transition-home-high-risk'))
    return resource;
  const [root] = resource.action ?? [];
  const steps = (root?.action ?? []).map((step) =>
    step.id === 'equipment-delivered' ? { ...step, goalId: ['stay-home', 'walks'] } : step,
  );
  const goal = [...(resource.goal ?? []), { id: 'walks', description: { text: 'Walks to the door' } }];
  return { ...resource, goal, action: [{ ...root, action: steps }] } as PlanDefinition;
}

const goal = async (words: RegExp) =>
  (await hospital.all('Goal')).find(({ description }) => words.test(description.text ?? '')) as Goal;
async function equipmentIsOrdered(): Promise<Task> {
  await hospital.put({
    ...{ resourceType: 'DeviceRequest', id: 'walker', status: 'active', intent: 'order' },
    subject: { reference: 'Patient/ann' },
    codeCodeableConcept: { text: 'Walker' },
  });
  await transitions.run();
  return (await hospital.followUps())['equipment-delivered'] as Task;
}
const stayHome = async () => goalsOf((await hospital.followUps())['call-7'] as Task);

it('is linked to the goals of the plan that its protocol names, also to one that was reworded', async () => {
  const [home = ''] = await stayHome();
  const walks = await goal(/Walks/);
  const kept = (await hospital.all('Goal')).find(({ id }) => `Goal/${id}` === home) as Goal;
  await hospital.put({ ...kept, description: { text: 'Sleeps in her own bed' } });
  const task = await equipmentIsOrdered();
  expect(goalsOf(task)).toEqual([home, `Goal/${walks.id}`]);
});

it('is not linked to a goal that was given up', async () => {
  const [home = ''] = await stayHome();
  await hospital.put({ ...(await goal(/Walks/)), lifecycleStatus: 'cancelled' });
  expect(goalsOf(await equipmentIsOrdered())).toEqual([home]);
});
