// A discharge whose time nobody tells: when it was recorded stands in for it, and gives way to what is told, in whatever order
// the messages come. docs/intake.md#when-the-patient-left
import type { Encounter, Period } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isStandIn, withEnd } from '../../src/fhir/stand-in-end.ts';
import { testValidate } from '../support/store-rules.ts';
import { openWard, type Said, type Ward } from './ward.ts';

let ward: Ward;
beforeAll(async () => {
  ward = await openWard();
});
afterAll(() => ward.close());

type Patient = ReturnType<Ward['admitPatient']>;
type Word = readonly [trigger: string, said: Said];

const START = { start: '20260908080000', disposition: '01' };
/** Monday the 14th; recorded at once. */
const TOLD: Word = ['A03', { ...START, end: '20260914140000', recorded: '20260914140500' }];
const UPDATE: Word = ['A08', { ...START, end: '20260914140000', recorded: '20260918090000' }];
const HAPPENED: Word = ['A03', { ...START, occurred: '20260914140000', recorded: '20260917090000' }];
/** Says nothing of when. */
const bare = (recorded: string): Word => ['A03', { ...START, recorded }];
const BARE = bare('20260916140000');
const BARE_AGAIN = bare('20260917150000');
const BACK: Word = ['A13', { ...START, recorded: '20260915100000' }];

const LEFT_14 = { end: '2026-09-14T14:00:00-04:00', standsIn: false, episode: '2026-09-14', contact: '2026-09-16' };
const LEFT_16 = { end: '2026-09-16T14:00:00-04:00', standsIn: true, episode: '2026-09-16', contact: '2026-09-18' };

async function stayOf(patient: Patient): Promise<Encounter> {
  const [stay] = (await patient.all('Encounter', { patient: await patient.reference() })) as Encounter[];
  if (!stay) throw new Error('There is no stay.');
  return stay;
}

/** The end of the stay, and the days that its live transition is counted from and the contact is due on. */
async function seen(patient: Patient) {
  const { period } = await stayOf(patient);
  const episodes = await patient.all('EpisodeOfCare', { patient: await patient.reference(), status: 'active' });
  const contact = (await patient.open()).contact?.restriction?.period?.end;
  return {
    end: period?.end,
    standsIn: isStandIn(period),
    episode: episodes.map((episode) => episode.period?.start?.slice(0, 10)).join(),
    contact: contact?.slice(0, 10),
  };
}

async function hear(words: readonly Word[], patient = ward.admitPatient()): Promise<Patient> {
  for (const [trigger, said] of words) expect(await patient.say(trigger, said)).toBe('AA');
  return patient;
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

describe('the end of a stay, in every order of the messages', () => {
  beforeAll(() => ward.at('2026-09-18T18:05:00Z'));

  it.each<[string, Word[], typeof LEFT_14]>([
    ['a stand-in does not replace the end that PV1-45 told', [TOLD, BARE], LEFT_14],
    ['PV1-45 of an update replaces a stand-in', [BARE, UPDATE], LEFT_14],
    ['EVN-6 replaces a stand-in, whatever the event times', [BARE, HAPPENED, BARE_AGAIN], LEFT_14],
    ['of stand-ins the first counts', [BARE, BARE_AGAIN], LEFT_16],
    ['after a cancelled discharge a new one counts anew, when the first was told', [TOLD, BACK, BARE], LEFT_16],
    [
      'after a cancelled discharge a new one counts anew, as a stand-in did',
      [bare('20260913120000'), BACK, BARE],
      LEFT_16,
    ],
    ['an end told after a cancelled discharge replaces the stand-in', [BACK, BARE, UPDATE], LEFT_14],
  ])('%s', async (_, words, expected) => {
    for (const order of orders(words)) {
      const said = order.map(([trigger, { recorded }]) => `${trigger} ${recorded}`).join(', ');
      expect(await seen(await hear(order)), said).toEqual(expected);
    }
  });

  it('an update that tells no end leaves a stand-in and an end that was told', async () => {
    const update: Word = ['A08', { ...START, recorded: '20260918100000' }];
    for (const order of orders([BARE, update])) expect(await seen(await hear(order))).toEqual(LEFT_16);
    for (const order of orders([TOLD, update])) expect(await seen(await hear(order))).toEqual(LEFT_14);
  });

  it('a date that was told replaces a stand-in, also one of the same day', async () => {
    const day: Word = ['A03', { ...START, end: '20260914', recorded: '20260914180000' }];
    for (const order of orders([day, BARE, bare('20260914160000')])) {
      expect(await seen(await hear(order))).toMatchObject({
        end: '2026-09-14',
        standsIn: false,
        contact: '2026-09-16',
      });
    }
  });

  it('EVN-6 that names no day tells no end', async () => {
    const month: Word = ['A03', { ...START, occurred: '202609', recorded: '20260916140000' }];
    expect(await seen(await hear([month]))).toEqual(LEFT_16);
  });
});

it('what was counted from a stand-in moves when the end is told, and stays when the discharge is told again', async () => {
  const patient = ward.admitPatient();
  ward.at('2026-09-14T18:05:00Z');
  await hear([bare('20260914150000')], patient);
  const before = await seen(patient);
  ward.at('2026-09-16T18:05:00Z');
  await hear([BARE], patient);
  expect(await seen(patient)).toEqual(before);
  expect(before).toMatchObject({ standsIn: true, contact: '2026-09-16' });
  await hear([['A08', { ...START, end: '20260911140000', recorded: '20260916141000' }]], patient);
  expect(await seen(patient)).toMatchObject({ standsIn: false, episode: '2026-09-11', contact: '2026-09-15' });
});

it('a discharge that is recorded over and over without its time does not grow the stay, and its order does not matter', async () => {
  ward.at('2026-09-18T18:05:00Z');
  const minutes = Array.from({ length: 30 }, (_, minute) => `202609161400${String(minute).padStart(2, '0')}`);
  const words = minutes.map(bare);
  const shuffled = [...words.slice(11), ...words.slice(0, 11).toReversed()];
  const results = [];
  for (const order of [words, shuffled]) {
    const patient = await hear(order);
    expect(await seen(patient)).toEqual(LEFT_16);
    const { extension = [] } = await stayOf(patient);
    const kept = extension.filter(({ url }) => url.endsWith('/stay-word'));
    expect(kept).toHaveLength(21);
    results.push(kept);
    // It comes late, between the last two.
    await hear([['A13', { ...START, recorded: '20260916140028.5' }]], patient);
    expect(await seen(patient)).toMatchObject({ end: '2026-09-16T14:00:29-04:00', standsIn: true });
  }
  expect(results[0]).toEqual(results[1]);
});

it('the mark is an extension that is defined, for the end of a period and nothing else', () => {
  const errors = (period: Period) => {
    const subject = { reference: 'Patient/ann' };
    const code = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' };
    const stay: Encounter = { resourceType: 'Encounter', status: 'finished', class: code, subject, period };
    return testValidate(stay).filter(({ severity }) => severity === 'error');
  };
  const { _end: mark, ...period } = withEnd(undefined, LEFT_16.end, true) as Period & { _end?: object };
  expect(errors({ ...period, _end: mark } as Period)).toEqual([]);
  expect(errors({ ...period, start: LEFT_14.end, _start: mark } as Period)).toHaveLength(1);
});

describe('an end that is written by FHIR is told', () => {
  beforeAll(() => ward.at('2026-09-18T18:05:00Z'));

  it('in place of a stand-in, whether the mark is left or not; a stand-in does not replace it', async () => {
    for (const isMarkLeft of [true, false]) {
      const patient = await hear([BARE]);
      const { period, ...stay } = await stayOf(patient);
      const { end: _, ...marked } = period ?? {};
      const end = LEFT_14.end;
      const start = period?.start ?? '';
      await patient.put({ ...stay, period: isMarkLeft ? ({ ...marked, end } as Period) : { start, end } });
      expect(await seen(patient)).toEqual(LEFT_14);
      await hear([BARE_AGAIN], patient);
      expect(await seen(patient)).toEqual(LEFT_14);
      await hear([['A08', { ...START, end: '20260911140000', recorded: '20260918100000' }]], patient);
      expect(await seen(patient)).toMatchObject({ standsIn: false, contact: '2026-09-15' });
    }
  });

  it('and of a stay of which no message has told yet; an update that tells no end does not open it again', async () => {
    const patient = await hear([TOLD]);
    const { extension: _, ...stay } = await stayOf(patient);
    await patient.put(stay);
    await hear([['A08', { ...START, recorded: '20260915100000' }], BARE], patient);
    expect(await seen(patient)).toEqual(LEFT_14);
  });
});
