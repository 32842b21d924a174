// Which discharge counts when several stays belong together: HEDIS TRC and PCR as domain.md §1.2, §7 and §10 have them.
import type { Encounter } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { continuedBy } from '../../src/care/transition/chain.ts';
import { encounterOfEpisode, withdrawnBecause } from '../../src/care/transition/episode.ts';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { admitted, DISCHARGED, discharged, type Hospital, openHospital, patient } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital(undefined, { shipped: true });
});
afterEach(() => hospital.temp.cleanup());

const kind = (code: string): Pick<Encounter, 'class'> => ({ class: { code } });
const stayFrom = (start: string, end?: string) => ({
  id: 'next',
  diagnosis: undefined,
  period: { start, ...(end ? { end } : {}) },
});
/** Of each stay's last transition: its status, and why it was withdrawn. */
async function outcome() {
  const episodes = await hospital.episodes();
  return Object.fromEntries(
    episodes.map((episode) => [encounterOfEpisode(episode), withdrawnBecause(episode) ?? episode.status]),
  );
}
async function tell(...encounters: Encounter[]) {
  for (const encounter of encounters) {
    await hospital.put(encounter);
    await hospital.run();
  }
}

describe('a stay after a discharge home on 20 November', () => {
  it.each([
    ['2026-11-20T20:00:00-05:00', 'continued', 'the same day: direct transfer (§1.2)'],
    ['2026-11-21T23:00:00-05:00', 'continued', 'the next day: stays two days apart are distinct (§7 PCR)'],
    ['2026-11-22T00:30:00-05:00', 'readmitted', 'two days after (§7 PCR)'],
    ['2026-12-20T23:59:00-05:00', 'readmitted', 'day 30 (§10)'],
    ['2026-12-21T00:30:00-05:00', 'active', 'day 31 (§10)'],
  ])('that begins at %s leaves it %s: %s', async (start, left) => {
    await tell(discharged());
    hospital.at(start);
    await tell(admitted(stayFrom(start)));
    expect((await outcome()).stay).toBe(left);
  });

  it('continues it: the last discharge counts, and says what it continues', async () => {
    await tell(discharged());
    hospital.at('2026-11-27T12:00:00-05:00');
    await tell(admitted(stayFrom('2026-11-24T03:00:00-05:00')));
    await tell(discharged(stayFrom('2026-11-24T03:00:00-05:00', '2026-11-27T11:00:00-05:00')));
    expect(await outcome()).toEqual({ stay: 'readmitted', next: 'active' });
    const episodes = await hospital.episodes();
    const [first, last] = ['stay', 'next'].map((id) => episodes.find((one) => encounterOfEpisode(one) === id));
    expect(last && continuedBy(last)).toEqual([{ reference: `EpisodeOfCare/${first?.id}` }]);
  });

  it('that was told before it, ended and all, leaves nothing to begin (§10 out of order)', async () => {
    hospital.at('2026-11-27T12:00:00-05:00');
    await tell(discharged(stayFrom('2026-11-24T03:00:00-05:00', '2026-11-27T11:00:00-05:00')), discharged());
    expect(await outcome()).toEqual({ stay: 'readmitted', next: 'active' });
  });

  it('that is cancelled (A11) after follow-ups began lets it go on (§10)', async () => {
    await tell(discharged());
    await hospital.complete('contact');
    hospital.at('2026-11-21T09:00:00-05:00');
    const next = stayFrom('2026-11-21T08:00:00-05:00');
    await tell(admitted(next), { ...admitted(next), status: 'cancelled' });
    expect((await hospital.episodes()).filter(({ status }) => status === 'active')).toHaveLength(1);
    const open = (await hospital.all('Task')).filter(({ status }) => status === 'requested');
    expect(open.some(({ identifier }) => identifier?.[0]?.value?.includes('|contact|'))).toBe(false);
  });
});

describe('chains', () => {
  it('observation, then inpatient: one chain, followed up from its end (§10)', async () => {
    await tell(discharged(kind('OBSENC')));
    await tell(admitted(stayFrom(DISCHARGED)));
    expect((await outcome()).stay).toBe('continued');
    hospital.at('2026-11-25T13:00:00-05:00');
    await tell(discharged(stayFrom(DISCHARGED, '2026-11-25T12:00:00-05:00')));
    expect(await outcome()).toEqual({ stay: 'continued', next: 'active' });
  });

  it('hospital to nursing facility to home: the facility is looked at until it discharges (§1.1, §10)', async () => {
    await tell(discharged({}, '03'));
    const facility = { ...kind('NONAC'), ...stayFrom('2026-11-20T16:00:00-05:00') };
    await tell(admitted(facility));
    expect((await outcome()).stay).toBe('active');
    expect(Object.keys(await hospital.followUps())).toContain('facility-week-1');
    hospital.at('2026-12-04T13:00:00-05:00');
    const period = { ...facility.period, end: '2026-12-04T12:00:00-05:00' };
    await tell(discharged({ ...facility, period }));
    expect(await outcome()).toEqual({ stay: 'continued', next: 'active' });
    const [plan] = await hospital.all('CarePlan', { status: 'active' });
    expect(plan?.instantiatesCanonical?.[0]).toContain('transition-from-nursing-facility');
  });

  it('a transfer to another acute hospital begins nothing; its discharge does (§1.2)', async () => {
    await tell(discharged({}, '02'));
    hospital.at('2026-11-25T13:00:00-05:00');
    await tell(discharged(stayFrom('2026-11-20T16:00:00-05:00', '2026-11-25T12:00:00-05:00')));
    expect(await outcome()).toEqual({ stay: 'transferred', next: 'active' });
  });

  it('the same stay under two numbers is followed up once', async () => {
    await tell(discharged(), discharged({ id: 'again' }));
    expect(await outcome()).toEqual({ stay: 'active', again: 'continued' });
  });

  it.each([
    ['2026-11-22T16:00:00-05:00', '2026-11-23T12:00:00-05:00', 'readmitted', 'two days after'],
    [
      '2026-12-20T16:00:00-05:00',
      '2026-12-26T12:00:00-05:00',
      'readmitted',
      'day 30, however long that stay was (§1.2)',
    ],
    ['2026-12-21T16:00:00-05:00', '2026-12-26T12:00:00-05:00', 'active', 'day 31'],
  ])(
    'of two records that turn out to be one, the later discharge of a chain counts (A40): %s, %s: %s, %s',
    async (start, end, left) => {
      await tell(discharged());
      await hospital.put(patient({ id: 'old' }));
      hospital.at(end);
      const next = discharged(stayFrom(start, end));
      await tell({ ...next, subject: { reference: 'Patient/old' } });
      for (const episode of await hospital.episodes()) {
        await hospital.put({ ...episode, patient: { reference: 'Patient/ann' } });
      }
      await hospital.put(next);
      await hospital.put(patient({ link: [{ other: { reference: 'Patient/old' }, type: 'replaces' }] }));
      await hospital.run();
      expect(await outcome()).toEqual({ stay: left, next: 'active' });
    },
  );
});

describe('a stay of one day, of whose end that day is told', () => {
  const first = (to: string, text = 'told') =>
    discharged(
      { serviceType: { text }, period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-20T10:59:00-05:00' } },
      to,
    );
  const next = discharged(stayFrom('2026-11-20T11:27:00-05:00', '2026-11-20'));
  const inHouse = admitted(stayFrom('2026-11-20T11:27:00-05:00'));
  const again = (to: string) => first(to, 'told again');

  it.each<[string, string, (to: string) => Encounter[], string]>([
    ['home', '01', (to) => [first(to), inHouse, next, again(to)], 'continued'],
    ['home', '01', (to) => [first(to), next, again(to)], 'continued'],
    ['home', '01', (to) => [next, first(to), again(to)], 'continued'],
    ['a transfer', '02', (to) => [first(to), inHouse, next, again(to)], 'transferred'],
    ['a transfer', '02', (to) => [next, first(to), again(to)], 'transferred'],
  ])('is the later one after %s of that day', async (_, to, told, was) => {
    hospital.at('2026-11-21T10:00:00-05:00');
    await tell(...told(to));
    expect(await outcome()).toEqual({ stay: was, next: 'active' });
  });

  it('is the last one for what a mistaken admission had ended', async () => {
    hospital.at('2026-11-22T10:00:00-05:00');
    const mistaken = admitted({ ...stayFrom('2026-11-22T08:00:00-05:00'), id: 'mistaken' });
    await tell(first('01'), next, mistaken, { ...mistaken, status: 'cancelled' });
    const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
    expect(live.map(encounterOfEpisode)).toEqual(['next']);
  });
});

describe('an emergency visit', () => {
  const visit = (id: string, end: string, changes: Partial<Encounter> = {}): Encounter => ({
    ...discharged({ id, ...kind('EMER'), period: { start: end, end } }),
    ...changes,
  });
  const anxiety = {
    resourceType: 'Condition' as const,
    id: 'failure',
    subject: { reference: 'Patient/ann' },
    code: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F41.1' }] },
  };

  it('that no protocol is for leaves nothing behind', async () => {
    await tell(visit('er', DISCHARGED));
    expect(await hospital.episodes()).toEqual([]);
  });

  it('for mental illness is followed up beside a stay, the first of a month only (§1.2 FUM)', async () => {
    await hospital.put(anxiety);
    await tell(discharged({ diagnosis: undefined }));
    hospital.at('2026-11-23T10:00:00-05:00');
    await tell(visit('er', '2026-11-23T09:00:00-05:00'), visit('er2', '2026-11-23T09:30:00-05:00'));
    expect(await outcome()).toEqual({ stay: 'active', er: 'active' });
  });

  it('that leads to an admission is ended by it (§1.2 FUM)', async () => {
    await hospital.put(anxiety);
    await tell(visit('er', DISCHARGED), admitted(stayFrom(DISCHARGED)));
    expect(await outcome()).toEqual({ er: 'continued' });
  });

  it('that became the stay, neither of which says when it ended, is not what that is counted from', async () => {
    await hospital.put(anxiety);
    await tell({ ...visit('er', DISCHARGED), period: { start: '2026-11-20T10:00:00-05:00' } });
    hospital.at('2026-11-26T10:00:00-05:00');
    await tell({ ...visit('er', DISCHARGED), ...kind('IMP'), period: { start: '2026-11-20T10:00:00-05:00' } });
    const begun = (await hospital.episodes()).map(({ status, period }) => [status, period?.start]);
    expect(begun.toSorted()).toEqual([
      ['active', '2026-11-26T10:00:00-05:00'],
      ['cancelled', '2026-11-20T14:05:00-05:00'],
    ]);
  });

  it.each([
    [
      'was over before',
      discharged({ id: 'in', period: { start: '2026-11-22T10:00:00-05:00', end: '2026-11-23T08:00:00-05:00' } }, '02'),
    ],
    ['was a mistake (A11)', { ...admitted({ id: 'in' }), status: 'cancelled' as const }],
  ])('during a stay that proves afterwards that it %s is followed up, the first of several', async (_, later) => {
    await hospital.put(anxiety);
    await tell(discharged({ diagnosis: undefined }));
    hospital.at('2026-11-23T10:00:00-05:00');
    await tell(admitted({ id: 'in', diagnosis: undefined, period: { start: '2026-11-22T10:00:00-05:00' } }));
    await tell(visit('er2', '2026-11-23T09:30:00-05:00'), visit('er', '2026-11-23T09:00:00-05:00'));
    expect(await outcome()).toEqual({ stay: 'readmitted' });
    await tell({ ...later, diagnosis: undefined });
    const begun = await outcome();
    expect([begun.er, begun.er2]).toEqual(['active', undefined]);
    // What that stay had ended goes on beside it when it was none.
    expect(begun.stay).toBe(later.status === 'cancelled' ? 'active' : 'readmitted');
    await tell({ ...later, diagnosis: undefined, serviceType: { text: 'told again' } });
    expect(await outcome()).toEqual(begun);
  });

  const around = (end: string, to?: string) =>
    discharged({ id: 'in', diagnosis: undefined, period: { start: '2026-11-10T10:00:00-05:00', end } }, to);
  const ER = visit('er', '2026-11-20T12:00:00-05:00');

  it('during a stay that is said to have ended after it is followed up again once that was before', async () => {
    await hospital.put(anxiety);
    await tell(ER);
    await hospital.complete('behavioral-health-visit-7');
    await tell(around('2026-11-20T13:00:00-05:00', '02'));
    expect(await outcome()).toMatchObject({ er: 'continued' });
    await tell({ ...around('2026-11-20T13:00:00-05:00', '02'), serviceType: { text: 'told again' } });
    expect((await hospital.episodes()).some(({ status }) => status === 'active')).toBe(false);
    await tell(around('2026-11-20T10:00:00-05:00', '02'));
    const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
    expect(live.map(encounterOfEpisode)).toEqual(['er']);
    const open = (await hospital.all('Task')).filter(({ status }) => !isTerminal(status));
    const steps = open.map(({ identifier }) => identifier?.[0]?.value?.split('|')[1]);
    expect(steps.toSorted()).toEqual(['behavioral-health-visit-30', 'contact']);
  });

  it('that is told after the stay around it has ended is part of that', async () => {
    await hospital.put(anxiety);
    await tell(around('2026-11-20T13:00:00-05:00', '02'), ER);
    expect(await outcome()).toEqual({ in: 'transferred' });
  });

  it('goes on when that admission was a mistake (A11)', async () => {
    await hospital.put(anxiety);
    const stay = admitted(stayFrom(DISCHARGED));
    await tell(visit('er', DISCHARGED), stay, { ...stay, status: 'cancelled' });
    expect((await hospital.episodes()).map(({ status }) => status).sort()).toEqual(['active', 'cancelled']);
    const open = (await hospital.all('Task')).filter(({ status }) => !isTerminal(status));
    expect(open.length).toBeGreaterThan(0);
  });
});
