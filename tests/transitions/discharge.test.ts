import type { Encounter, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stageOf } from '../../src/care/transition/life.ts';
import { admitted, discharged, HIGH_RISK, type Hospital, heartFailure, openHospital, patient } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
});
afterEach(() => hospital.temp.cleanup());

describe('a discharge', () => {
  it('begins one transition with its plan', async () => {
    await hospital.put(admitted());
    await hospital.run();
    expect(hospital.events).toEqual([]);
    await hospital.put(discharged(HIGH_RISK));
    await hospital.run();
    const [episode, ...others] = await hospital.episodes();
    expect(others).toEqual([]);
    expect(episode).toMatchObject({
      status: 'active',
      identifier: [{ system: 'urn:baton:transition', value: 'stay|2026-11-20T19:00:00Z' }],
      managingOrganization: { reference: 'Organization/river' },
    });
    const [carePlan] = await hospital.all('CarePlan');
    expect(hospital.events).toEqual([
      {
        kind: 'transition-started',
        episode: episode?.id,
        encounter: 'stay',
        patient: 'ann',
        protocol: 'https://baton.health/fhir/PlanDefinition/transition-home-high-risk|1.0.0',
        score: 10,
        band: 'high',
        carePlan: carePlan?.id,
        followUps: 7,
      },
    ]);
    const { contact } = await hospital.followUps();
    expect(contact?.identifier?.[0]?.value).toBe(`${episode?.id}|contact|1`);
    expect(contact?.restriction?.period).toMatchObject({
      start: '2026-11-23T09:00:00-05:00',
      end: '2026-11-24T23:59:59-05:00',
    });
    expect(contact?.basedOn).toEqual([{ reference: `CarePlan/${carePlan?.id}` }]);
    const [provenance] = await hospital.all('Provenance');
    expect(provenance?.target).toHaveLength(1 + 3 + 1 + 4 + 1 + 8);
    expect(carePlan?.supportingInfo?.[1]).toEqual({ reference: `EpisodeOfCare/${episode?.id}` });
    expect((await hospital.all('CareTeam'))[0]?.participant).toHaveLength(3);
  });

  it('is searchable by what the sweep and the worklist ask', async () => {
    await hospital.put(discharged());
    await hospital.run();
    const steps = async (parameters: Record<string, string>) =>
      (await hospital.all('Task', parameters)).map(({ identifier }) => identifier?.[0]?.value?.split('|')[1]).sort();
    expect(await steps({ 'raise-at': 'le2026-11-20T19:00:00Z' })).toEqual(['notify-pcp']);
    expect(await steps({ 'escalate-at': 'le2030-01-01' })).toEqual([]);
    expect(await steps({ due: 'lt2026-11-25' })).toEqual([
      'contact',
      'medication-reconciliation',
      'notify-pcp',
      'visit',
    ]);
    expect(await hospital.all('EpisodeOfCare', { encounter: 'Encounter/stay' })).toHaveLength(1);
  });

  it('chooses the lower-risk protocol under 10 points', async () => {
    await hospital.put(discharged());
    await hospital.run();
    expect(hospital.events[0]).toMatchObject({ score: 9, band: 'moderate', followUps: 6 });
  });

  it('counts earlier emergency visits', async () => {
    await hospital.put({
      resourceType: 'Encounter',
      id: 'er',
      status: 'finished',
      class: { code: 'EMER' },
      subject: { reference: 'Patient/ann' },
      period: { start: '2026-09-01T10:00:00-04:00', end: '2026-09-01T14:00:00-04:00' },
    });
    await hospital.put(discharged());
    await hospital.run();
    expect(hospital.events[0]).toMatchObject({ kind: 'transition-started', score: 10, band: 'high' });
  });

  it('told again changes nothing, nor does an update that leaves it as it is', async () => {
    await hospital.put(discharged());
    await hospital.run();
    const before = await hospital.store.head();
    await hospital.put(discharged({ serviceType: { text: 'Cardiology' } }));
    await hospital.run();
    expect(await hospital.store.head()).toBe(before + 1);
    expect(hospital.kinds()).toEqual(['transition-started']);
  });

  it('handled twice from the same log entry begins one transition', async () => {
    await hospital.put(discharged());
    await hospital.run();
    // As after a crash, with the cursor lost.
    await hospital.sql('UPDATE cursor SET sequence = 0');
    await hospital.run();
    expect(await hospital.episodes()).toHaveLength(1);
    expect(await hospital.all('CarePlan')).toHaveLength(1);
    expect(await hospital.all('Task')).toHaveLength(6);
  });

  it('handled by two processes at once begins one transition', async () => {
    await hospital.put(discharged());
    const [one, other] = [hospital.openTransitions(), hospital.openTransitions()];
    await Promise.all([one.run(), other.run()]);
    expect(await hospital.episodes()).toHaveLength(1);
    expect(await hospital.all('Task')).toHaveLength(6);
    expect(hospital.kinds()).toEqual(['transition-started']);
  });

  it('leaves nothing behind when the commit fails, and begins after the restart', async () => {
    await hospital.put(discharged());
    // The second Task of the plan cannot be stored.
    await hospital.sql("CREATE UNIQUE INDEX fails ON version (type) WHERE type = 'Task'");
    await expect(hospital.run()).rejects.toThrow();
    expect(await hospital.all('Task')).toEqual([]);
    expect(hospital.events).toEqual([]);
    await hospital.sql('DROP INDEX fails');
    await hospital.restart();
    await hospital.run();
    expect(await hospital.all('Task')).toHaveLength(6);
    await hospital.restart();
    await hospital.run();
    expect(await hospital.all('Task')).toHaveLength(6);
  });

  it('with a date only is counted from that day', async () => {
    await hospital.put(discharged({ period: { start: '2026-11-15', end: '2026-11-20' } }));
    await hospital.run();
    const { contact } = await hospital.followUps();
    expect(contact?.restriction?.period?.end).toBe('2026-11-24T23:59:59-05:00');
  });

  it('of a day to come is counted from when it was told, also once that day is near, and moves when it is corrected', async () => {
    const ahead = discharged({ period: { start: '2026-11-15', end: '2026-12-05T14:00:00-05:00' } });
    await hospital.put(ahead);
    await hospital.run();
    const told = (await hospital.followUps()).contact;
    expect(told?.restriction?.period?.end).toBe('2026-11-24T23:59:59-05:00');
    hospital.at('2026-12-05T16:00:00Z');
    await hospital.put({ ...ahead, length: { value: 5, unit: 'd' } });
    await hospital.run();
    expect((await hospital.followUps())['call-14']?.restriction?.period?.start).toBe('2026-12-04T09:00:00-05:00');
    await hospital.put(discharged({ period: { start: '2026-11-15', end: '2026-11-30T14:00:00-05:00' } }));
    await hospital.run();
    expect((await hospital.followUps())['call-14']?.restriction?.period?.start).toBe('2026-12-14T09:00:00-05:00');
  });

  describe('that does not say when', () => {
    const silent: Encounter = { ...discharged(), period: { start: '2026-11-15' } };
    const begun = async () => (await hospital.episodes()).map(({ status, period }) => [status, period?.start]);

    it('is counted from when it was first told, whatever is written about the stay later', async () => {
      await hospital.put(silent);
      await hospital.run();
      expect(await begun()).toEqual([['active', '2026-11-20T14:05:00-05:00']]);
      const told = await hospital.followUps();
      hospital.at('2026-11-23T16:00:00Z');
      await hospital.put({ ...silent, length: { value: 5, unit: 'd' } });
      await hospital.run();
      expect(await hospital.followUps()).toEqual(told);
      expect(await begun()).toHaveLength(1);
    });

    it('is, too, when something told later has it begin', async () => {
      await hospital.put({ ...silent, hospitalization: discharged({}, '02').hospitalization });
      await hospital.run();
      expect(await begun()).toEqual([['cancelled', '2026-11-20T14:05:00-05:00']]);
      hospital.at('2026-11-22T16:00:00Z');
      await hospital.put(silent);
      await hospital.run();
      expect((await begun()).at(-1)).toEqual(['active', '2026-11-20T14:05:00-05:00']);
    });

    it('is counted anew when it has been taken back in between', async () => {
      await hospital.put(silent);
      await hospital.run();
      hospital.at('2026-11-22T16:00:00Z');
      await hospital.put(admitted());
      await hospital.run();
      await hospital.put(silent);
      await hospital.run();
      expect((await begun()).at(-1)).toEqual(['active', '2026-11-22T11:00:00-05:00']);
    });

    it('and follows an emergency visit under the same encounter is counted from when the stay was told to be over', async () => {
      await hospital.put({ ...silent, class: { code: 'EMER' } });
      await hospital.run();
      hospital.at('2026-11-22T16:00:00Z');
      await hospital.put(silent);
      await hospital.run();
      expect(await begun()).toEqual([['active', '2026-11-22T11:00:00-05:00']]);
    });

    it('under a transition that is older here than its encounter stays where that is counted from', async () => {
      await hospital.put(silent);
      await hospital.run();
      const told = await hospital.followUps();
      // As an import brings them: the record of the stay begins anew.
      await hospital.sql("DELETE FROM version WHERE type = 'Encounter'");
      await hospital.sql("UPDATE resource SET version = 0 WHERE type = 'Encounter'");
      hospital.at('2026-11-22T16:00:00Z');
      await hospital.put({ ...silent, length: { value: 5, unit: 'd' } });
      await hospital.run();
      expect(await hospital.followUps()).toEqual(told);
    });

    it('ended the stay before all the same', async () => {
      const later = { ...silent, id: 'later', period: { start: '2026-11-22T08:00:00-05:00' } };
      hospital.at('2026-11-24T16:00:00Z');
      await hospital.put({ ...later, hospitalization: discharged({}, '02').hospitalization });
      await hospital.run();
      await hospital.put(discharged());
      await hospital.run();
      expect((await begun()).map(([status]) => status)).toEqual(['cancelled', 'cancelled']);
    });

    it('long ago is history when it is told again', async () => {
      await hospital.put({ ...silent, hospitalization: discharged({}, '02').hospitalization });
      await hospital.run();
      hospital.at('2027-01-10T16:00:00Z');
      await hospital.put(silent);
      await hospital.run();
      expect((await begun()).map(([status]) => status)).not.toContain('active');
    });
  });

  it('of a day to come does not hide the stay that ended after it was told', async () => {
    await hospital.put(
      discharged({ id: 'ahead', period: { start: '2026-11-20T08:00:00-05:00', end: '2027-11-20T12:00:00-05:00' } }),
    );
    await hospital.run();
    hospital.at('2026-11-20T22:00:00Z');
    await hospital.put(
      discharged({ id: 'other', period: { start: '2026-11-19T08:00:00-05:00', end: '2026-11-20T16:00:00-05:00' } }),
    );
    await hospital.run();
    const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
    expect(live).toHaveLength(1);
  });

  it('of another facility is counted there', async () => {
    await hospital.put(discharged({ serviceProvider: undefined }));
    await hospital.run();
    const { contact } = await hospital.followUps();
    expect(contact?.restriction?.period?.end).toBe('2026-11-24T23:59:59+00:00');
  });

  it('that names what is not stored is followed up without it', async () => {
    await hospital.put(patient({ generalPractitioner: [{ reference: 'Practitioner/gone' }] }));
    const diagnosis = [
      { condition: { reference: 'Condition/gone' } },
      { condition: { reference: 'Condition/failure' } },
    ];
    await hospital.put(discharged({ diagnosis, serviceProvider: { reference: 'Organization/gone' } }));
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-started']);
    expect((await hospital.all('CarePlan'))[0]?.addresses).toEqual([{ reference: 'Condition/failure' }]);
  });

  it('of a patient who is not stored is told and stops nobody else', async () => {
    await hospital.put(discharged({ id: 'lost', subject: { reference: 'Patient/gone' }, diagnosis: undefined }));
    await hospital.put(discharged());
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-failed', 'transition-started']);
  });

  it('whose plan the store refuses is passed over and told, and stops nobody else', async () => {
    const strict = await openHospital((resource) => JSON.stringify(resource).includes('"Encounter/odd"'));
    await strict.put(discharged({ id: 'odd' }));
    await strict.put(discharged());
    await strict.run();
    expect(strict.events[0]).toEqual({ kind: 'transition-failed', type: 'Encounter', id: 'odd', versionId: '1' });
    expect(strict.events[1]?.kind).toBe('transition-started');
    await strict.temp.cleanup();
  });

  it('long ago begins nothing', async () => {
    await hospital.put(discharged({ period: { start: '2026-09-01', end: '2026-09-10T12:00:00-04:00' } }));
    await hospital.run();
    expect(await hospital.episodes()).toEqual([]);
  });

  it('known to its month only is history when all of the month is', async () => {
    await hospital.put(discharged({ id: 'september', period: { start: '2026-09-01', end: '2026-09' } }));
    await hospital.run();
    expect(await hospital.episodes()).toEqual([]);
    await hospital.put(discharged({ id: 'october', period: { start: '2026-10-01', end: '2026-10' } }));
    await hospital.run();
    expect(await hospital.episodes()).toMatchObject([{ status: 'active' }]);
  });

  it('from an ambulatory encounter begins nothing', async () => {
    await hospital.put(discharged({ class: { code: 'AMB' } }));
    await hospital.run();
    expect(await hospital.episodes()).toEqual([]);
  });

  it('from observation begins a transition', async () => {
    await hospital.put(discharged({ class: { code: 'OBSENC' } }));
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-started']);
  });

  it.each([
    ['20', 'died'],
    ['02', 'transferred'],
  ])('with disposition %s begins nothing: %s', async (disposition, reason) => {
    await hospital.put(discharged({}, disposition));
    await hospital.run();
    await hospital.put(discharged({ serviceType: { text: 'again' } }, disposition));
    await hospital.run();
    expect(hospital.events).toEqual([{ kind: 'transition-declined', encounter: 'stay', reason }]);
    const [episode] = await hospital.episodes();
    expect(episode?.status).toBe('cancelled');
    expect(await hospital.all('Task')).toEqual([]);
  });

  it.each([
    ['03', 'review'],
    ['07', 'outreach'],
    ['99', 'review'],
  ])('with disposition %s asks a person: %s', async (disposition, step) => {
    await hospital.put(discharged({}, disposition));
    await hospital.run();
    expect(Object.keys(await hospital.followUps())).toEqual([step]);
  });

  it('whose disposition is corrected from death to home begins then', async () => {
    await hospital.put(discharged({}, '20'));
    await hospital.run();
    await hospital.put(discharged());
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-declined', 'transition-started']);
  });

  it('belongs to the case manager of the patient', async () => {
    await hospital.put({ resourceType: 'Practitioner', id: 'rn', name: [{ family: 'Nurse' }] });
    await hospital.put({
      resourceType: 'EpisodeOfCare',
      id: 'case',
      status: 'active',
      patient: { reference: 'Patient/ann' },
      careManager: { reference: 'Practitioner/rn' },
    });
    await hospital.put(discharged());
    await hospital.run();
    const { contact } = await hospital.followUps();
    expect(contact?.owner).toEqual({ reference: 'Practitioner/rn' });
  });
});

describe('a discharge that is cancelled (A13)', () => {
  it('takes back what has not been done and leaves what has', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.complete('notify-pcp');
    await hospital.run();
    await hospital.put(admitted());
    await hospital.run();
    const tasks = await hospital.followUps();
    expect(tasks['notify-pcp']?.status).toBe('completed');
    const others = Object.values(tasks).filter(({ status }) => status !== 'completed');
    expect(others).toHaveLength(5);
    for (const task of others) {
      expect(task).toMatchObject({ status: 'cancelled', statusReason: { text: 'Discharge cancelled' } });
    }
    expect((await hospital.all('CarePlan'))[0]?.status).toBe('revoked');
    expect((await hospital.all('ServiceRequest'))[0]?.status).toBe('revoked');
    expect((await hospital.all('CareTeam'))[0]?.status).toBe('inactive');
    expect(new Set((await hospital.all('Goal')).map(({ lifecycleStatus }) => lifecycleStatus))).toEqual(
      new Set(['cancelled']),
    );
    expect((await hospital.episodes())[0]?.status).toBe('cancelled');
    expect(hospital.events.at(-1)).toMatchObject({
      kind: 'transition-withdrawn',
      encounter: 'stay',
      reason: 'discharge-cancelled',
    });
  });

  it('and happens later begins a new transition', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(admitted());
    await hospital.run();
    hospital.at('2026-11-23T20:00:00Z');
    await hospital.put(
      discharged({ period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-23T14:00:00-05:00' } }),
    );
    await hospital.run();
    const statuses = (await hospital.episodes()).map(({ status }) => status).sort();
    expect(statuses).toEqual(['active', 'cancelled']);
    const open = (await hospital.all('Task')).filter(({ status }) => status === 'requested');
    expect(open).toHaveLength(7);
  });

  it('and happens again at the same minute begins a new transition', async () => {
    for (const encounter of [discharged(), admitted(), discharged(), admitted(), discharged()]) {
      await hospital.put(encounter);
      await hospital.run();
    }
    expect((await hospital.episodes()).filter(({ status }) => status === 'active')).toHaveLength(1);
    expect((await hospital.all('Task')).filter(({ status }) => status === 'requested')).toHaveLength(6);
  });

  it('before anybody looked leaves no trace', async () => {
    await hospital.put(discharged());
    await hospital.put(admitted());
    await hospital.run();
    expect(await hospital.episodes()).toEqual([]);
  });

  it('by cancelling the encounter is taken back too', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put({ ...admitted(), status: 'cancelled' });
    await hospital.run();
    expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['cancelled']);
  });
});

describe('a discharge that is corrected', () => {
  const LATER = { start: '2026-11-15T08:00:00-05:00', end: '2026-11-21T10:00:00-05:00' };
  const follow = async (step: string) => (await hospital.followUps())[step] as Task;
  /** A day later than it was first told. */
  const correct = async (at = '2026-11-21T16:00:00Z', period: Encounter['period'] = LATER) => {
    hospital.at(at);
    await hospital.put(discharged({ period }));
    await hospital.run();
  };

  it('moves the follow-ups that are not done, also those that somebody has begun', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put({ ...(await follow('visit')), status: 'accepted' });
    await hospital.complete('notify-pcp');
    await hospital.run();
    const before = await hospital.followUps();
    await correct();
    const after = await hospital.followUps();
    expect(after['call-14']?.restriction?.period?.start).toBe('2026-12-07T09:00:00-05:00');
    expect(after['medication-reconciliation']?.restriction?.period?.end).toBe('2026-12-05T23:59:59-05:00');
    expect(before.visit?.restriction?.period?.end).toBe('2026-12-04T23:59:59-05:00');
    expect(after.visit).toMatchObject({
      status: 'accepted',
      restriction: { period: { end: '2026-12-05T23:59:59-05:00' } },
    });
    expect(after['notify-pcp']?.restriction).toEqual(before['notify-pcp']?.restriction);
    expect(await hospital.episodes()).toHaveLength(1);
    expect(hospital.events.at(-1)).toMatchObject({ kind: 'transition-moved', followUps: 5 });
    expect((await hospital.episodes())[0]?.identifier?.[0]?.value).toBe('stay|2026-11-21T15:00:00Z');
  });

  const agreed = (task: Task, end: string): Task => ({
    ...task,
    restriction: { ...task.restriction, period: { ...task.restriction?.period, end } },
  });

  it('leaves a deadline that somebody has set, unless it would come before the step', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(agreed(await follow('visit'), '2026-12-01T12:00:00-05:00'));
    await hospital.put(agreed(await follow('contact'), '2026-11-23T12:00:00-05:00'));
    await hospital.run();
    await correct('2026-11-26T16:00:00Z', { start: '2026-11-21T08:00:00-05:00', end: '2026-11-26T10:00:00-05:00' });
    expect((await follow('visit')).restriction?.period?.end).toBe('2026-12-01T12:00:00-05:00');
    expect((await follow('contact')).restriction?.period?.end).toBe('2026-11-30T23:59:59-05:00');
  });

  it('takes away the credit of attempts that were made before it', async () => {
    await hospital.temp.cleanup();
    hospital = await openHospital(undefined, { shipped: true });
    await hospital.put(discharged());
    await hospital.run();
    const task = await follow('contact');
    for (const sent of ['2026-11-23T15:00:00Z', '2026-11-23T19:00:00Z']) {
      await hospital.put({
        resourceType: 'Communication',
        id: `at${sent.slice(11, 13)}`,
        status: 'not-done',
        subject: { reference: 'Patient/ann' },
        basedOn: [{ reference: `Task/${task.id}` }],
        sent,
      });
    }
    hospital.at('2026-11-23T20:00:00Z');
    await hospital.run();
    expect(stageOf(await follow('contact'))).toBe('credited');
    await correct('2026-11-24T16:00:00Z', { start: '2026-11-19T08:00:00-05:00', end: '2026-11-24T10:00:00-05:00' });
    expect(stageOf(await follow('contact'))).not.toBe('credited');
  });

  it('leaves nobody untold of a miss that comes after another one', async () => {
    await hospital.temp.cleanup();
    hospital = await openHospital(undefined, { shipped: true });
    await hospital.put(discharged());
    await hospital.run();
    const missed = async (at: string) => {
      hospital.at(at);
      await hospital.transitions.tick();
      const { id } = await follow('contact');
      return (await hospital.all('CommunicationRequest')).filter(
        ({ about, reasonCode }) =>
          about?.[0]?.reference === `Task/${id}` && reasonCode?.[0]?.coding?.[0]?.code === 'follow-up-overdue',
      ).length;
    };
    expect(await missed('2026-11-25T06:00:00Z')).toBe(1);
    // Somebody gives it until a moment that the correction makes too early.
    await hospital.put(agreed(await follow('contact'), '2026-11-26T12:00:00-05:00'));
    await correct('2026-11-27T16:00:00Z', { start: '2026-11-22T08:00:00-05:00', end: '2026-11-27T10:00:00-05:00' });
    expect((await follow('contact')).restriction?.period?.end).toBe('2026-12-01T23:59:59-05:00');
    expect(await missed('2026-12-02T06:00:00Z')).toBe(2);
  });

  it('and calls for another protocol restarts when nobody has begun', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(discharged(HIGH_RISK));
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-started', 'transition-withdrawn', 'transition-started']);
    const [plan] = await hospital.all('CarePlan', { status: 'active' });
    expect(plan?.instantiatesCanonical?.[0]).toContain('high-risk');
  });

  it('to a death ends the transition', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(discharged({}, '20'));
    await hospital.run();
    expect(hospital.events.at(-1)).toMatchObject({ kind: 'transition-withdrawn', reason: 'died' });
    expect((await hospital.all('Task')).every(({ status }) => status === 'cancelled')).toBe(true);
  });
});

describe('what ends a transition early', () => {
  const again = { id: 'again', diagnosis: undefined, period: { start: '2026-11-24T03:00:00-05:00' } };

  it('is a readmission', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(admitted(again));
    await hospital.run();
    expect(hospital.events.at(-1)).toMatchObject({
      kind: 'transition-withdrawn',
      encounter: 'stay',
      reason: 'readmitted',
    });
    hospital.at('2026-11-26T20:00:00Z');
    await hospital.put(discharged({ ...again, period: { ...again.period, end: '2026-11-26T10:00:00-05:00' } }));
    await hospital.run();
    expect(hospital.events.at(-1)).toMatchObject({ kind: 'transition-started', encounter: 'again' });
    // A late word about the first stay does not bring its follow-ups back.
    await hospital.put(discharged({ serviceType: { text: 'late' } }));
    await hospital.run();
    expect((await hospital.episodes()).filter(({ status }) => status === 'active')).toHaveLength(1);
  });

  it('is a readmission that is first heard of when it is over', async () => {
    await hospital.put(discharged());
    await hospital.run();
    hospital.at('2026-11-26T20:00:00Z');
    await hospital.put(discharged({ ...again, period: { ...again.period, end: '2026-11-26T10:00:00-05:00' } }));
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-started', 'transition-withdrawn', 'transition-started']);
  });

  it('is a readmission that was told before the discharge', async () => {
    hospital.at('2026-11-24T12:00:00Z');
    await hospital.put(admitted(again));
    await hospital.put(discharged());
    await hospital.run();
    expect(hospital.events).toEqual([{ kind: 'transition-declined', encounter: 'stay', reason: 'readmitted' }]);
  });

  it('is not a stay of long ago that was never closed', async () => {
    await hospital.put(admitted({ id: 'forgotten', period: { start: '2024-01-01' } }));
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(admitted({ id: 'forgotten', period: { start: '2024-01-01' }, serviceType: { text: 'x' } }));
    await hospital.run();
    expect(hospital.kinds()).toEqual(['transition-started']);
  });

  it('is death', async () => {
    await hospital.put(discharged());
    await hospital.run();
    await hospital.put(patient({ deceasedDateTime: '2026-11-22' }));
    await hospital.run();
    expect(hospital.events.at(-1)).toMatchObject({ kind: 'transition-withdrawn', reason: 'died' });
    await hospital.put(discharged({ serviceType: { text: 'late' } }));
    await hospital.run();
    expect((await hospital.episodes()).map(({ status }) => status)).toEqual(['cancelled']);
  });
});

describe('the end of a transition', () => {
  it('comes with its last follow-up and judges the goals', async () => {
    await hospital.put(discharged());
    await hospital.run();
    for (const [step, task] of Object.entries(await hospital.followUps())) {
      await hospital.put({ ...task, status: step === 'visit' ? 'failed' : 'completed' });
      await hospital.run();
    }
    expect(hospital.kinds()).toEqual(['transition-started', 'transition-completed']);
    expect((await hospital.episodes())[0]).toMatchObject({ status: 'finished', period: { end: expect.any(String) } });
    expect((await hospital.all('CarePlan'))[0]?.status).toBe('completed');
    const goals = (await hospital.all('Goal')).map(({ description, achievementStatus }) => [
      description.text,
      achievementStatus?.coding?.[0]?.code,
    ]);
    expect(Object.fromEntries(goals)).toEqual({
      'Stays out of hospital for 30 days after discharge': 'achieved',
      'Patient or caregiver is reached within two business days of discharge': 'achieved',
      'Medicines are reconciled and understood': 'achieved',
      'Is seen by a practitioner within 14 days of discharge': 'not-achieved',
    });
    // A late word about the stay does not begin it anew.
    await hospital.put(discharged({ serviceType: { text: 'late' } }));
    await hospital.run();
    expect(await hospital.episodes()).toHaveLength(1);
  });

  it('does not come while one is open', async () => {
    await hospital.put(discharged());
    await hospital.put(heartFailure());
    await hospital.run();
    await hospital.complete('contact');
    await hospital.run();
    expect((await hospital.episodes())[0]?.status).toBe('active');
  });
});
