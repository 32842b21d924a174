import type { CareTeam, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TransitionEvent } from '../../src/transitions/events.ts';
import { completeTask } from './complete-task.ts';
import { admitted, discharged, type Hospital, openHospital } from './hospital.ts';

const NURSE = { reference: 'Practitioner/nurse', kind: 'user' } as const;

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
  hospital.events.length = 0;
});
afterEach(() => hospital.temp.cleanup());

const told = <K extends 'follow-up-due' | 'follow-up-escalated'>(kind: K) =>
  hospital.events.filter((event): event is Extract<TransitionEvent, { kind: K }> => event.kind === kind);
const steps = (kind: 'follow-up-due' | 'follow-up-escalated') => told(kind).map(({ step }) => step);
const clockOf = (task: Task | undefined) => task?.businessStatus?.coding?.[0]?.code;

async function sweepAt(instant: string) {
  hospital.at(instant);
  return hospital.transitions.tick();
}

describe('a follow-up', () => {
  it('is raised when its window opens, not before', async () => {
    expect(await sweepAt('2026-11-20T19:06:00Z')).toMatchObject({ raised: 1, escalated: 0, failed: 0 });
    await hospital.complete('notify-pcp');
    await sweepAt('2026-11-22T20:00:00Z');
    hospital.events.length = 0;
    expect(await sweepAt('2026-11-23T13:59:59Z')).toMatchObject({ raised: 0, escalated: 0, failed: 0 });
    expect(await sweepAt('2026-11-23T14:00:00Z')).toMatchObject({ raised: 1, escalated: 0, failed: 0 });
    expect(told('follow-up-due')).toEqual([
      {
        kind: 'follow-up-due',
        episode: (await hospital.episodes())[0]?.id,
        step: 'contact',
        task: (await hospital.followUps()).contact?.id,
        due: '2026-11-24T23:59:59-05:00',
        lateSeconds: 0,
      },
    ]);
  });

  it('that is raised has its owner told once', async () => {
    await sweepAt('2026-11-20T19:06:00Z');
    const task = (await hospital.followUps())['notify-pcp'];
    expect(clockOf(task)).toBe('due');
    const [reminder, ...others] = await hospital.all('CommunicationRequest');
    expect(others).toEqual([]);
    expect(reminder).toMatchObject({
      status: 'active',
      recipient: [task?.owner],
      about: [{ reference: `Task/${task?.id}` }],
      occurrenceDateTime: '2026-11-20T14:00:00-05:00',
    });
  });

  it('that misses its deadline is escalated once, to a supervisor, due the next business day', async () => {
    await sweepAt('2026-11-20T19:06:00Z');
    await sweepAt('2026-11-21T18:59:00Z');
    expect(steps('follow-up-escalated')).toEqual([]);
    await sweepAt('2026-11-21T19:01:00Z');
    await sweepAt('2026-11-21T19:02:00Z');
    expect(steps('follow-up-escalated')).toEqual(['notify-pcp']);
    const tasks = await hospital.followUps();
    expect(tasks['notify-pcp']).toMatchObject({ priority: 'urgent', status: 'requested' });
    expect(clockOf(tasks['notify-pcp'])).toBe('overdue');
    expect(tasks['notify-pcp-escalation']).toMatchObject({
      status: 'requested',
      priority: 'urgent',
      focus: { reference: `Task/${tasks['notify-pcp']?.id}` },
      owner: { reference: 'Organization/river' },
      restriction: { period: { start: '2026-11-21T14:01:00-05:00', end: '2026-11-23T23:59:59-05:00' } },
    });
    expect(told('follow-up-escalated')[0]?.escalation).toBe(tasks['notify-pcp-escalation']?.id);
  });

  it('goes to the supervisor whom the care team names for that day of the facility, if there is such a person', async () => {
    const duty = { url: 'https://baton.health/fhir/StructureDefinition/team-duty', valueCode: 'supervisor' };
    for (const id of ['boss', 'relief']) await hospital.put({ resourceType: 'Practitioner', id, active: true });
    const periods = { gone: { start: '2026-01-01' }, boss: { end: '2026-11-21' }, relief: { start: '2026-11-22' } };
    await hospital.put({
      ...{ resourceType: 'CareTeam', id: 'named', status: 'active', subject: { reference: 'Patient/ann' } },
      participant: Object.entries(periods).map(([id, period]) => ({
        extension: [duty],
        member: { reference: `Practitioner/${id}` },
        period,
      })),
    } as CareTeam);
    // Still Saturday evening where the facility is.
    await sweepAt('2026-11-22T03:00:00Z');
    const { 'notify-pcp-escalation': task } = await hospital.followUps();
    expect(task).toMatchObject({
      owner: { reference: 'Practitioner/boss' },
      requester: { reference: 'Organization/river' },
    });
    const asked = (await hospital.all('CommunicationRequest')).filter(
      ({ about }) => about?.[0]?.reference === `Task/${task?.id}`,
    );
    expect(asked).toMatchObject([{ recipient: [{ reference: 'Practitioner/boss' }] }]);
  });

  it('whose escalation is missed as well is made stat, and escalated no further', async () => {
    await sweepAt('2026-11-21T19:01:00Z');
    await sweepAt('2026-11-24T05:00:00Z');
    const tasks = await hospital.followUps();
    expect(tasks['notify-pcp-escalation']).toMatchObject({ priority: 'stat' });
    expect(clockOf(tasks['notify-pcp-escalation'])).toBe('overdue');
    expect(Object.keys(tasks).filter((step) => step.endsWith('escalation-escalation'))).toEqual([]);
  });

  it('that was urgent becomes stat', async () => {
    await sweepAt('2026-11-25T05:00:01Z');
    expect((await hospital.followUps()).contact?.priority).toBe('stat');
  });

  it('that is done settles its reminder and its escalation', async () => {
    await sweepAt('2026-11-21T19:01:00Z');
    const task = (await hospital.followUps())['notify-pcp'];
    const now = Temporal.Instant.from('2026-11-21T19:30:00Z');
    await completeTask(hospital.store, NURSE, task?.id ?? '', now, 'Faxed.');
    await hospital.run();
    const tasks = await hospital.followUps();
    expect(tasks['notify-pcp']).toMatchObject({
      status: 'completed',
      executionPeriod: { end: '2026-11-21T19:30:00Z' },
    });
    expect(tasks['notify-pcp-escalation']).toMatchObject({ status: 'cancelled', statusReason: { text: 'Resolved' } });
    const told = await hospital.all('CommunicationRequest');
    const about = told.filter(({ identifier }) => identifier?.[0]?.value?.includes('|notify-pcp'));
    expect(about.map(({ status }) => status)).toEqual(['completed', 'completed']);
  });

  it('that has ended is never raised or escalated', async () => {
    for (const task of Object.values(await hospital.followUps())) await hospital.put({ ...task, status: 'cancelled' });
    expect(await sweepAt('2027-03-01T00:00:00Z')).toMatchObject({ raised: 0, escalated: 0, failed: 0 });
  });

  it('that somebody works on is still escalated when it is late', async () => {
    await sweepAt('2026-11-20T19:06:00Z');
    const task = (await hospital.followUps())['notify-pcp'];
    await hospital.put({ ...(task as Task), status: 'in-progress' });
    await sweepAt('2026-11-21T19:01:00Z');
    expect(steps('follow-up-escalated')).toEqual(['notify-pcp']);
  });

  it('whose place against its clock somebody overwrote is raised and escalated all the same, once', async () => {
    const task = (await hospital.followUps())['notify-pcp'] as Task;
    await hospital.put({ ...task, businessStatus: { text: 'Left a voicemail' } });
    await sweepAt('2026-11-20T19:06:00Z');
    expect(steps('follow-up-due')).toEqual(['notify-pcp']);
    const { businessStatus: _, ...without } = (await hospital.followUps())['notify-pcp'] as Task;
    await hospital.put(without);
    await sweepAt('2026-11-21T19:01:00Z');
    await sweepAt('2026-11-21T19:02:00Z');
    expect(steps('follow-up-escalated')).toEqual(['notify-pcp']);
    const reminders = (await hospital.all('CommunicationRequest')).map(({ identifier }) => identifier?.[0]?.value);
    expect(new Set(reminders).size).toBe(reminders.length);
  });

  it('whose deadline somebody made a day without time is escalated when that day is over there', async () => {
    await sweepAt('2026-11-20T19:06:00Z');
    const task = (await hospital.followUps())['notify-pcp'] as Task;
    await hospital.put({ ...task, restriction: { period: { start: '2026-11-20', end: '2026-11-21' } } });
    await sweepAt('2026-11-22T04:59:00Z');
    expect(steps('follow-up-escalated')).toEqual([]);
    await sweepAt('2026-11-22T05:00:00Z');
    expect(steps('follow-up-escalated')).toEqual(['notify-pcp']);
  });

  it('that is withdrawn in the same beat is not raised', async () => {
    await hospital.put(admitted());
    await sweepAt('2026-11-23T14:00:00Z');
    expect(hospital.kinds()).toEqual(['transition-withdrawn']);
  });
});

describe('a sweep', () => {
  it('after three days of downtime catches up, the most overdue first, raising before escalating', async () => {
    await hospital.restart();
    const result = await sweepAt('2026-11-23T15:00:00Z');
    expect(result).toMatchObject({ raised: 4, escalated: 1, failed: 0 });
    expect(steps('follow-up-due')).toEqual(['notify-pcp', 'medication-reconciliation', 'visit', 'contact']);
    expect(hospital.kinds().at(-1)).toBe('follow-up-escalated');
    expect(told('follow-up-due').map(({ lateSeconds }) => lateSeconds / 3600)).toEqual([68, 49, 25, 1]);
    const [reminder] = await hospital.all('CommunicationRequest', { identifier: 'urn:baton:reminder|' });
    expect(reminder?.authoredOn).toBe('2026-11-23T15:00:00Z');
  });

  it('at the same time as another does everything once', async () => {
    hospital.at('2026-11-23T15:00:00Z');
    const [one, other] = [hospital.openTransitions(), hospital.openTransitions()];
    await Promise.all([one.sweep(), other.sweep(), one.sweep(), other.sweep()]);
    await hospital.transitions.sweep();
    expect(steps('follow-up-due').sort()).toEqual(['contact', 'medication-reconciliation', 'notify-pcp', 'visit']);
    expect(steps('follow-up-escalated')).toEqual(['notify-pcp']);
    expect(await hospital.all('CommunicationRequest')).toHaveLength(5);
    for (const task of await hospital.all('Task')) expect(Number(task.meta?.versionId)).toBeLessThanOrEqual(3);
  });

  it('after the clock went back fires nothing again', async () => {
    await sweepAt('2026-11-23T15:00:00Z');
    const before = hospital.events.length;
    await sweepAt('2026-11-23T13:00:00Z');
    await sweepAt('2026-11-23T15:00:00Z');
    expect(hospital.events).toHaveLength(before);
  });

  it('after the clock jumped a year ahead raises and escalates everything once', async () => {
    expect(await sweepAt('2027-11-23T15:00:00Z')).toMatchObject({ raised: 6, escalated: 6, failed: 0 });
    expect((await sweepAt('2027-11-23T15:01:00Z')).escalated).toBe(0);
  });

  it('works through more than a page', async () => {
    const template = (await hospital.followUps()).visit as Task;
    const many = Array.from({ length: 600 }, (_, n) => ({
      op: 'create' as const,
      resource: {
        ...template,
        id: undefined,
        identifier: [{ system: 'urn:baton:follow-up', value: `${template.groupIdentifier?.value}|extra-${n}|1` }],
      },
    }));
    await hospital.store.commit(NURSE, many);
    expect(await sweepAt('2026-11-22T14:00:00Z')).toMatchObject({ raised: 603, failed: 0 });
  });
});

describe('completing a task', () => {
  const now = Temporal.Instant.from('2026-11-21T12:00:00Z');

  it('twice changes nothing the second time', async () => {
    const id = (await hospital.followUps()).contact?.id ?? '';
    expect((await completeTask(hospital.store, NURSE, id, now))?.versionId).toBe('2');
    expect(await completeTask(hospital.store, NURSE, id, now)).toBeUndefined();
  });

  it('that was cancelled or never was is refused', async () => {
    const task = (await hospital.followUps()).contact as Task;
    await hospital.put({ ...task, status: 'cancelled' });
    await expect(completeTask(hospital.store, NURSE, task.id ?? '', now)).rejects.toMatchObject({
      kind: 'unprocessable',
    });
    await expect(completeTask(hospital.store, NURSE, 'none', now)).rejects.toMatchObject({ kind: 'not-found' });
  });
});
