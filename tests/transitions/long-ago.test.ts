// A transition under way whose discharge turns out to have been long ago ends: nobody is called half a year after they left.
import type { Encounter } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withdrawnBecause } from '../../src/care/transition/episode.ts';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { discharged, type Hospital, openHospital } from './hospital.ts';

const START = '2026-05-01T08:00:00-04:00';
const until = (end: string, start = START) => discharged({ period: { start, end } });
const UNTOLD: Encounter = { ...discharged(), period: { start: START } };

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
});
afterEach(() => hospital.temp.cleanup());

async function tell(at: string, encounter: Encounter) {
  hospital.at(at);
  await hospital.put(encounter);
  await hospital.run();
}
const outcome = async () =>
  (await hospital.episodes())
    .map((episode) => [withdrawnBecause(episode) ?? episode.status, episode.period?.start])
    .toSorted((a, b) => (a.join() < b.join() ? 1 : -1));
const open = async () => (await hospital.all('Task')).filter(({ status }) => !isTerminal(status));

it('a stay whose end half a year ago is told after its transition began is followed up no longer', async () => {
  await tell('2026-11-20T19:05:00Z', UNTOLD);
  await tell('2026-11-21T15:00:00Z', until('2026-05-06T14:00:00-04:00'));
  hospital.at('2026-11-21T15:01:00Z');
  await hospital.transitions.tick();
  expect(await outcome()).toEqual([['discharge-cancelled', '2026-11-20T14:05:00-05:00']]);
  expect(await open()).toEqual([]);
  expect(hospital.kinds()).not.toContain('follow-up-due');
  const told = await hospital.all('CommunicationRequest');
  expect(told.filter(({ status }) => status === 'active')).toEqual([]);
});

it('a typing error of the month is put right: it begins anew', async () => {
  await tell('2026-11-20T19:05:00Z', until('2026-11-20T14:00:00-05:00', '2026-11-15'));
  await tell('2026-11-21T15:00:00Z', until('2026-01-20T14:00:00-05:00', '2026-01-15'));
  expect(await open()).toEqual([]);
  await tell('2026-11-21T16:00:00Z', until('2026-11-20T14:00:00-05:00', '2026-11-15'));
  expect((await outcome()).map(([what]) => what)).toEqual(['discharge-cancelled', 'active']);
  expect((await open()).length).toBeGreaterThan(0);
});

it('a transition in its last days moves with a correction of hours', async () => {
  await tell('2026-11-20T19:05:00Z', until('2026-11-20T14:00:00-05:00', '2026-11-15'));
  await tell('2026-12-24T15:00:00Z', until('2026-11-20T12:00:00-05:00', '2026-11-15'));
  expect(await outcome()).toEqual([['active', '2026-11-20T12:00:00-05:00']]);
});

it('one in its last days that was half a year ago ends all the same', async () => {
  await tell('2026-11-20T19:05:00Z', UNTOLD);
  await tell('2026-12-24T15:00:00Z', until('2026-05-06T14:00:00-04:00'));
  expect((await outcome()).map(([what]) => what)).toEqual(['discharge-cancelled']);
});

it('is not planned anew for a discharge of half a year ago', async () => {
  await tell('2026-11-20T19:05:00Z', UNTOLD);
  hospital.at('2026-11-21T15:00:00Z');
  await hospital.put(until('2026-05-06T14:00:00-04:00'));
  const [episode] = await hospital.episodes();
  await expect(hospital.transitions.replan(episode?.id ?? '')).rejects.toMatchObject({
    kind: 'unprocessable',
    message: expect.stringContaining('more than 31 days ago'),
  });
});
