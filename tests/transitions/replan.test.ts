// A transition under way is planned anew under a newer version of its protocol: shown first, then carried out as shown.
import type { PlanDefinition, Resource } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { discharged, type Hospital, openHospital } from './hospital.ts';
import { plainArtifacts } from './plain-artifacts.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
  await hospital.complete('notify-pcp');
  await hospital.run();
});
afterEach(() => hospital.temp.cleanup());

/** The lower-risk protocol without its last call, and with the visit a day earlier. */
function newer(resource: Resource): Resource {
  if (resource.resourceType !== 'PlanDefinition' || !resource.url?.endsWith('lower-risk')) return resource;
  const [root] = resource.action ?? [];
  const steps = (root?.action ?? [])
    .filter(({ id }) => !id?.startsWith('call'))
    .map((step) => (step.id === 'visit' ? { ...step, timingDuration: { ...step.timingDuration, value: 13 } } : step));
  return { ...resource, version: '99.0.0', action: [{ ...root, action: steps }] } as PlanDefinition;
}

const openNewer = () => hospital.openTransitions({ artifacts: plainArtifacts.map(newer) });
const episodeId = async () => (await hospital.episodes())[0]?.id ?? '';

it('the difference names what is done, moves, goes and stays, and changes nothing', async () => {
  const head = await hospital.store.head();
  const shown = await openNewer().replan(await episodeId());
  const changes = Object.fromEntries(shown.steps.map(({ step, change }) => [step, change]));
  expect(changes).toMatchObject({ 'notify-pcp': 'done', visit: 'moved', contact: 'same' });
  expect(
    Object.entries(changes)
      .filter(([, change]) => change === 'withdrawn')
      .map(([step]) => step),
  ).toEqual([expect.stringMatching(/^call/)]);
  expect(shown.to).toContain('|99.0.0');
  expect(await hospital.store.head()).toBe(head);
});

it('is carried out as it was shown, and keeps what is done', async () => {
  const transitions = openNewer();
  const episode = await episodeId();
  const { tag } = await transitions.replan(episode);
  const { carriedOut } = await transitions.replan(episode, tag);
  const episodes = await hospital.episodes();
  expect(episodes.find(({ id }) => id === episode)?.status).not.toBe('active');
  expect(episodes.find(({ id }) => id === carriedOut)?.status).toBe('active');
  const open = (await hospital.all('Task')).filter(({ status }) => status === 'requested');
  expect(open.every(({ groupIdentifier }) => groupIdentifier?.value === carriedOut)).toBe(true);
  expect(open.map(({ identifier }) => identifier?.[0]?.value?.split('|')[1])).not.toContain('notify-pcp');
  await expect(transitions.replan(episode, tag)).rejects.toMatchObject({ kind: 'unprocessable' });
});

it('that has changed since it was shown is not carried out', async () => {
  const transitions = openNewer();
  const episode = await episodeId();
  const { tag } = await transitions.replan(episode);
  await hospital.complete('contact');
  await expect(transitions.replan(episode, tag)).rejects.toMatchObject({ kind: 'conflict' });
  await expect(transitions.replan('none')).rejects.toMatchObject({ kind: 'not-found' });
});
