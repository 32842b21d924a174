// What people and other servers can do to the resources of a transition under way must not make anybody forget a follow-up:
// either it goes on, or operators are told. Issue 7, points 5 and 6.
import type { CarePlan, CommunicationRequest, EpisodeOfCare, Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, it } from 'vitest';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { insertRow } from '../../src/notify/notification-rows.ts';
import { CLOCKWORK } from '../../src/store/alert.ts';
import { admitted, discharged, HIGH_RISK, type Hospital, openHospital, patient } from './hospital.ts';

const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;
const MONDAY_EVENING = '2026-11-23T23:00:00Z';
let hospital: Hospital;
afterEach(() => hospital.temp.cleanup());

async function opened(): Promise<Hospital> {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
  return hospital;
}

const task = async (id: string | undefined) => (await hospital.all('Task', { _id: id ?? '' }))[0] as Task;
const alerts = async () =>
  (await hospital.store.query('SELECT event, detail FROM alert WHERE connection = ?', [CLOCKWORK])).map(
    ({ event, detail }) => `${event}: ${detail}`,
  );

describe('a client that sends back a follow-up without what it did not know', () => {
  it.each<[string, (task: Task) => Task]>([
    ['identifier', ({ identifier: _, ...rest }) => rest],
    ['restriction', ({ restriction: _, ...rest }) => rest],
    [
      'end of the window',
      (known) => ({ ...known, restriction: { period: { start: known.restriction?.period?.start } } }),
    ],
    ['businessStatus', ({ businessStatus: _, ...rest }) => rest],
    ['extension', ({ extension: _, ...rest }) => rest],
    ['group and plan', ({ groupIdentifier: _, basedOn: __, ...rest }) => rest],
  ])('%s does not take it off the schedule', async (_, without) => {
    await opened();
    const known = (await hospital.followUps()).contact as Task;
    await hospital.put(without(known));
    await hospital.put({ ...without(known), description: 'Changed once more' });
    await hospital.run();
    hospital.at('2026-12-20T15:00:00Z');
    await hospital.transitions.tick();
    const kept = await task(known.id);
    expect(kept.identifier).toEqual(known.identifier);
    expect(kept.restriction?.period?.end).toBe(known.restriction?.period?.end);
    expect(kept.groupIdentifier).toEqual(known.groupIdentifier);
    expect(kept.description).toBe('Changed once more');
    expect(
      hospital.events.filter((event) => 'step' in event && event.step === 'contact').map(({ kind }) => kind),
    ).toEqual(expect.arrayContaining(['follow-up-due', 'follow-up-escalated']));
  });

  it.each<[string, (task: Task) => Task]>([
    ['changed', (known) => ({ ...known, note: [{ text: 'Seen' }] })],
    ['sent back without its clock', ({ extension: _, ...rest }) => rest],
  ])('of a follow-up that somebody has %s and another plan has taken over since', async (_, changed) => {
    await opened();
    const before = await hospital.followUps();
    // Another protocol by then; Baton hears of both at once.
    await hospital.put(discharged(HIGH_RISK));
    for (const task of Object.values(before)) await hospital.put(changed(task));
    await hospital.run();
    const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
    expect(live).toHaveLength(1);
    const open = (await hospital.all('Task')).filter(({ status }) => status === 'requested');
    expect(open.length).toBeGreaterThanOrEqual(Object.keys(before).length);
    const owners = open.map(({ identifier }) => identifier?.[0]?.value?.split('|')[0]);
    expect(new Set(owners)).toEqual(new Set([live[0]?.id]));
  });

  it('nor can somebody say that it is credited', async () => {
    await opened();
    const { businessStatus, ...rest } = (await hospital.followUps()).contact as Task;
    await hospital.put(rest as Task);
    const credited = { coding: [{ ...businessStatus?.coding?.[0], code: 'credited', display: 'Credited' }] };
    await expect(hospital.put({ ...rest, businessStatus: credited } as Task)).rejects.toThrow();
  });
});

describe('the transition goes on', () => {
  it('when its plan is not found any more', async () => {
    await opened();
    const [plan] = (await hospital.all('CarePlan')) as [CarePlan];
    const { identifier: _, ...rest } = plan;
    await hospital.put(rest);
    await hospital.complete('notify-pcp');
    await hospital.run();
    expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['active']);
  });

  it('when a follow-up is deleted, until the others have ended', async () => {
    await opened();
    const all = Object.entries(await hospital.followUps());
    const [[, first] = [], ...others] = all;
    for (const [step] of others) await hospital.complete(step);
    await hospital.run();
    await hospital.run();
    expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['active']);
    await hospital.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: first?.id ?? '' }]);
    await hospital.run();
    expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['finished']);
  });
});

describe('operators are told', () => {
  it('of a follow-up whose commit is refused again and again, though nobody changes anything', async () => {
    await opened();
    const contact = (await hospital.followUps()).contact as Task;
    const key = contact.identifier?.[0]?.value ?? '';
    const twin: CommunicationRequest = {
      resourceType: 'CommunicationRequest',
      status: 'active',
      identifier: [{ system: 'urn:baton:reminder', value: key }],
      subject: { reference: 'Patient/ann' },
    };
    await hospital.put({ ...twin, id: 'twin-1' });
    await hospital.put({ ...twin, id: 'twin-2' });
    hospital.at('2026-11-23T15:00:00Z');
    const result = await hospital.transitions.sweep();
    expect(result.failed).toBe(1);
  });

  it('of a follow-up whose commit is refused as if somebody had been faster, though nobody was', async () => {
    await opened();
    await hospital.sql("CREATE UNIQUE INDEX refuses ON version (id) WHERE type = 'Task'");
    hospital.at('2026-11-23T15:00:00Z');
    for (let sweep = 1; sweep <= 3; sweep += 1) {
      expect((await hospital.transitions.sweep()).failed).toBe(4);
      await hospital.transitions.rewind(NURSE);
    }
    await hospital.transitions.watchdog.look();
    expect(await alerts()).toEqual([expect.stringContaining('follow-ups.failing: 4 follow-ups')]);
    await hospital.sql('DROP INDEX refuses');
    expect(await hospital.transitions.sweep()).toMatchObject({ failed: 0, raised: 4 });
    await hospital.transitions.watchdog.look();
    expect(await alerts()).toEqual(expect.arrayContaining([expect.stringContaining('follow-ups.recovered')]));
  });

  it('of a discharge that cannot be acted on, which stops nobody', async () => {
    await opened();
    const [episode] = (await hospital.episodes()) as [EpisodeOfCare];
    const { extension: _, identifier: __, ...rest } = episode;
    await hospital.put(rest);
    await hospital.put({ ...discharged(), language: 'en' });
    await hospital.put(patient({ id: 'bob' }));
    await hospital.put(discharged({ id: 'other', subject: { reference: 'Patient/bob' } }));
    for (let beat = 0; beat < 12; beat += 1) await hospital.run().catch(() => 0);
    expect((await hospital.episodes()).some(({ patient: who }) => who?.reference === 'Patient/bob')).toBe(true);
    expect(await alerts()).toEqual([expect.stringContaining('Encounter/stay')]);
  });

  it.each<[string, (episode: EpisodeOfCare) => Promise<unknown>]>([
    ['ended', (episode) => hospital.put({ ...episode, status: 'finished' })],
    ['deleted', ({ id = '' }) => hospital.store.commit(NURSE, [{ op: 'delete', type: 'EpisodeOfCare', id }])],
  ])('of a transition that somebody %s with follow-ups open, which are cancelled at once', async (what, end) => {
    await opened();
    const [episode] = (await hospital.episodes()) as [EpisodeOfCare];
    await end(episode);
    await hospital.run();
    expect(Object.values(await hospital.followUps()).every(({ status }) => status === 'cancelled')).toBe(true);
    expect(await alerts()).toEqual([
      expect.stringMatching(
        `transitions.cut-short: EpisodeOfCare/${episode.id} was ${what} by .* with 6 follow-ups open`,
      ),
    ]);
  });

  it('of messages that nobody has tried to send', async () => {
    hospital = await openHospital();
    const due = Temporal.Now.instant().subtract({ minutes: 20 }).epochMilliseconds;
    const row = { id: 'n', request: 'r', step: 0, channel: 'gone', address: '', facility: '*', urgent: false } as const;
    await hospital.store.commit(NURSE, [], [insertRow({ ...row, state: 'waiting', nextAt: due }, due)]);
    await hospital.transitions.watchdog.look();
    expect(await alerts()).toEqual([expect.stringContaining('notifications.stuck: 1 messages')]);
  });

  it('of a discharge of a patient who is not stored, who is followed up once they are', async () => {
    hospital = await openHospital();
    await hospital.put(discharged({ subject: { reference: 'Patient/late' } }));
    await hospital.run();
    expect(await hospital.episodes()).toEqual([]);
    expect(await alerts()).toEqual([expect.stringContaining('Encounter/stay')]);
    await hospital.put(patient({ id: 'late' }));
    await hospital.run();
    expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['active']);
  });
});

it('an episode without its period does not keep later stays from being seen', async () => {
  await opened();
  const [episode] = (await hospital.episodes()) as [EpisodeOfCare];
  const { period: _, ...rest } = episode;
  await hospital.put(rest);
  hospital.at(MONDAY_EVENING);
  await hospital.put(admitted({ id: 'again', period: { start: '2026-11-23T10:00:00-05:00' } }));
  await hospital.run();
  expect(hospital.kinds()).not.toContain('transition-failed');
  expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['cancelled']);
  expect(Object.values(await hospital.followUps()).every(({ status }) => isTerminal(status))).toBe(true);
});
