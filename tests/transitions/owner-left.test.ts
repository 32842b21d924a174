// A follow-up whose owner has left the house: somebody else is told at once, and operators see it.
import type { CareTeam, PractitionerRole, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failingAmong } from '../../src/server/ops/follow-up-failing.ts';
import { discharged, type Hospital, openHospital } from './hospital.ts';

const OWNER = { reference: 'Practitioner/manager' };
let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital(undefined, { shipped: true });
  for (const id of ['manager', 'stand-in', 'boss'])
    await hospital.put({ resourceType: 'Practitioner', id, active: true });
  await hospital.put(discharged());
  await hospital.run();
  for (const task of Object.values(await hospital.followUps())) await hospital.put({ ...task, owner: OWNER });
  await hospital.run();
});
afterEach(() => hospital.temp.cleanup());

const role = (id: string, more: Partial<PractitionerRole>, of = OWNER.reference) =>
  hospital.put({ resourceType: 'PractitionerRole', id, practitioner: { reference: of }, ...more });
const named = (duties: Record<string, 'backup' | 'supervisor'>) =>
  hospital.put({
    ...{ resourceType: 'CareTeam', id: 'named', status: 'active', subject: { reference: 'Patient/ann' } },
    participant: Object.entries(duties).map(([id, valueCode]) => ({
      extension: [{ url: 'https://baton.health/fhir/StructureDefinition/team-duty', valueCode }],
      member: { reference: `Practitioner/${id}` },
    })),
  } as CareTeam);
/** Of the follow-up that is raised at once. */
const told = async () =>
  (await hospital.all('CommunicationRequest'))
    .filter(({ identifier }) => identifier?.[0]?.value?.includes('|notify-pcp|'))
    .map(({ reasonCode, recipient }) => [
      reasonCode?.[0]?.coding?.[0]?.code,
      ...(recipient ?? []).map(({ reference }) => reference),
    ]);
const raise = async (at = '2026-11-20T19:06:00Z') => {
  hospital.at(at);
  await hospital.transitions.tick();
};
const failing = async () => {
  const task = (await hospital.followUps())['notify-pcp'] as Task;
  const clock = { now: () => Temporal.Instant.from('2026-11-20T19:06:00Z'), real: () => Temporal.Now.instant() };
  return (await failingAmong({ store: hospital.store, clock }, [task])).get(task.id ?? '');
};

describe('who has left is not told', () => {
  it.each([
    ['inactive', () => hospital.put({ resourceType: 'Practitioner', id: 'manager', active: false })],
    ['without a role that goes on', () => role('past', { period: { end: '2026-11-19' } })],
    ['with roles of which none is active', () => role('closed', { active: false })],
  ])('%s: the backup is, at once, and operators see it', async (_, leave) => {
    await named({ 'stand-in': 'backup', boss: 'supervisor' });
    await leave();
    await raise();
    expect(await told()).toEqual([['follow-up-due', 'Practitioner/stand-in']]);
    expect(await failing()).toContain('Practitioner/manager has left');
    await raise('2026-11-21T19:01:00Z');
    expect((await told())[1]).toEqual(['follow-up-overdue', 'Practitioner/stand-in']);
  });

  it.each([
    ['the supervisor, where there is no backup', { boss: 'supervisor' }, 'Practitioner/boss'],
    ['the supervisor, where the backup has left, too', { past: 'backup', boss: 'supervisor' }, 'Practitioner/boss'],
    ['the facility, where the team names nobody', {}, 'Organization/river'],
  ] as const)('but %s', async (_, duties, who) => {
    await hospital.put({ resourceType: 'Practitioner', id: 'past', active: false });
    if (Object.keys(duties).length > 0) await named(duties);
    await role('closed', { active: false });
    await raise();
    expect(await told()).toEqual([['follow-up-due', who]]);
  });

  it('as whom it is given later: the backup is', async () => {
    await named({ boss: 'backup' });
    await raise();
    await role('gone', { active: false }, 'Practitioner/stand-in');
    const task = (await hospital.followUps())['notify-pcp'] as Task;
    await hospital.put({ ...task, owner: { reference: 'Practitioner/stand-in' } });
    await hospital.run();
    expect((await told())[1]).toEqual(['follow-up-assigned', 'Practitioner/boss']);
  });
});

describe('who is here is told', () => {
  it.each([
    ['without any role', async () => undefined],
    ['on the last day of a role', () => role('last', { period: { end: '2026-11-20' } })],
    [
      'with a role that is over and one that begins',
      async () => {
        await role('past', { period: { end: '2026-11-19' } });
        await role('next', { period: { start: '2026-12-01' } });
      },
    ],
  ])('%s', async (_, arrange) => {
    await named({ 'stand-in': 'backup' });
    await arrange();
    await raise();
    expect(await told()).toEqual([['follow-up-due', 'Practitioner/manager']]);
    expect(await failing()).toBeUndefined();
  });
});
