// A transition that was ended by what turned out not to be so goes on: nobody is dropped because of a typing error.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { admitted, discharged, type Hospital, openHospital, patient } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
  await hospital.put(discharged());
  await hospital.run();
});
afterEach(() => hospital.temp.cleanup());

const again = { id: 'again', diagnosis: undefined, period: { start: '2026-11-24T03:00:00-05:00' } };
const open = async () =>
  (await hospital.all('Task'))
    .filter(({ status }) => status === 'requested')
    .map(({ identifier }) => identifier?.[0]?.value?.split('|')[1]);
const statuses = async () => (await hospital.episodes()).map(({ status }) => status).sort();

it('a readmission that is cancelled ended nothing, and what was done stays done', async () => {
  await hospital.complete('notify-pcp');
  await hospital.run();
  await hospital.put(admitted(again));
  await hospital.run();
  expect(await open()).toEqual([]);
  await hospital.put({ ...admitted(again), status: 'cancelled' });
  await hospital.run();
  expect(await statuses()).toEqual(['active', 'cancelled']);
  expect(await open()).toHaveLength(5);
  expect(await open()).not.toContain('notify-pcp');
  // Once: the same word again changes nothing.
  await hospital.put({ ...admitted(again), status: 'cancelled', serviceType: { text: 'late' } });
  await hospital.run();
  expect(await statuses()).toEqual(['active', 'cancelled']);
});

it('a readmission that is cancelled after its own discharge ended nothing', async () => {
  hospital.at('2026-11-26T20:00:00Z');
  await hospital.put(discharged({ ...again, period: { ...again.period, end: '2026-11-26T10:00:00-05:00' } }));
  await hospital.run();
  await hospital.put({ ...admitted(again), status: 'entered-in-error' });
  await hospital.run();
  const [live, ...others] = (await hospital.episodes()).filter(({ status }) => status === 'active');
  expect(others).toEqual([]);
  expect(live?.identifier?.[0]?.value).toMatch(/^stay\|/);
});

it.each([
  ['another hospital', '02'],
  ['home', '01'],
])('a stay before it that was said to have ended after it, to %s, ended nothing', async (_, to) => {
  await hospital.complete('notify-pcp');
  await hospital.run();
  const until = (end: string) => discharged({ ...again, period: { start: '2026-11-15T10:00:00-05:00', end } }, to);
  await hospital.put(until('2026-11-20T20:00:00-05:00'));
  await hospital.run();
  const live = async () => (await hospital.episodes()).filter(({ status }) => status === 'active');
  expect((await live()).flatMap(({ identifier }) => identifier?.[0]?.value ?? '').join()).not.toMatch(/^stay\|/);
  await hospital.put(until('2026-11-18T10:00:00-05:00'));
  await hospital.run();
  expect((await live()).map(({ identifier }) => identifier?.[0]?.value)).toEqual([expect.stringMatching(/^stay\|/)]);
  expect(await open()).not.toContain('notify-pcp');
});

it('a stay before it that was once said to have ended after it is not what a mistaken admission had ended', async () => {
  const until = (end: string) => discharged({ ...again, period: { start: '2026-11-18T10:00:00-05:00', end } });
  await hospital.put(until('2026-11-20T20:00:00-05:00'));
  await hospital.run();
  await hospital.put(until('2026-11-19T10:00:00-05:00'));
  await hospital.run();
  const mistaken = { ...again, id: 'mistaken' };
  await hospital.put(admitted(mistaken));
  await hospital.run();
  expect((await statuses()).includes('active')).toBe(false);
  await hospital.put({ ...admitted(mistaken), status: 'cancelled' });
  await hospital.run();
  const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
  expect(live.map(({ identifier }) => identifier?.[0]?.value)).toEqual([expect.stringMatching(/^stay\|/)]);
});

it.each([
  ['an emergency visit', { class: { code: 'EMER' } }],
  ['another mistaken admission', { status: 'cancelled' as const }],
])('goes on once, though it began anew and its discharge was corrected since: %s', async (_, visit) => {
  await hospital.put(admitted(again));
  await hospital.put({ ...admitted(again), status: 'cancelled' });
  await hospital.run();
  await hospital.put(discharged({ period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-19T05:00:00-05:00' } }));
  await hospital.run();
  const before = await statuses();
  expect(before).toEqual(['active', 'cancelled']);
  await hospital.put({ ...admitted({ ...again, id: 'later' }), ...visit });
  await hospital.run();
  expect(await statuses()).toEqual(before);
});

it('of two readmissions both must be taken back', async () => {
  await hospital.put(admitted(again));
  await hospital.put(admitted({ ...again, id: 'third' }));
  await hospital.run();
  await hospital.put({ ...admitted(again), status: 'cancelled' });
  await hospital.run();
  expect(await statuses()).toEqual(['cancelled']);
  await hospital.put({ ...admitted({ ...again, id: 'third' }), status: 'cancelled' });
  await hospital.run();
  expect(await statuses()).toEqual(['active', 'cancelled']);
});

it('a resumed transition can be taken back and begun again like any other', async () => {
  await hospital.put(admitted(again));
  await hospital.put({ ...admitted(again), status: 'cancelled' });
  await hospital.run();
  await hospital.put(admitted());
  await hospital.run();
  await hospital.put(discharged());
  await hospital.run();
  expect((await statuses()).filter((status) => status === 'active')).toHaveLength(1);
  expect(await open()).toHaveLength(6);
});

it('a death that is taken back lets the transition go on', async () => {
  await hospital.put(patient({ deceasedBoolean: true }));
  await hospital.run();
  expect(await open()).toEqual([]);
  await hospital.put(patient({ deceasedBoolean: false }));
  await hospital.run();
  expect(await statuses()).toEqual(['active', 'cancelled']);
  expect(await open()).toHaveLength(6);
});

it.each([
  ['as it was', undefined, false],
  ['later than what was done', '2026-11-21T20:00:00-05:00', true],
])(
  'a discharge that was said to be a death goes on when that was a mistake; its time is told %s',
  async (_, end, again) => {
    hospital.at('2026-11-21T20:00:00Z');
    await hospital.complete('notify-pcp');
    await hospital.run();
    await hospital.put(discharged({}, '20'));
    await hospital.run();
    expect(await open()).toEqual([]);
    hospital.at('2026-11-22T20:00:00Z');
    await hospital.put(discharged(end ? { period: { start: '2026-11-15T08:00:00-05:00', end } } : {}));
    await hospital.run();
    expect(await statuses()).toEqual(['active', 'cancelled']);
    expect((await open()).includes('notify-pcp')).toBe(again);
  },
);

it.each<[string, (n: number) => Promise<void>]>([
  [
    'mistaken readmissions',
    async (n) => {
      await hospital.put(admitted({ ...again, id: `again-${n}` }));
      await hospital.run();
      await hospital.put({ ...admitted({ ...again, id: `again-${n}` }), status: 'cancelled' });
    },
  ],
  [
    'mistaken deaths',
    async () => {
      await hospital.put(patient({ deceasedBoolean: true }));
      await hospital.run();
      await hospital.put(patient({ deceasedBoolean: false }));
    },
  ],
  [
    'mistaken deaths by disposition',
    async () => {
      await hospital.put(discharged({}, '20'));
      await hospital.run();
      await hospital.put(discharged());
    },
  ],
])('what was done stays done after two %s', async (_, happen) => {
  hospital.at('2026-11-21T20:00:00Z');
  await hospital.complete('notify-pcp');
  await hospital.run();
  for (const n of [1, 2]) {
    await happen(n);
    await hospital.run();
    expect(await open()).toHaveLength(5);
    expect(await open()).not.toContain('notify-pcp');
  }
});

it('a patient who died in hospital gets no plan by being edited', async () => {
  await hospital.put(discharged({}, '20'));
  await hospital.run();
  await hospital.put(patient({ gender: 'female' }));
  await hospital.run();
  expect(await statuses()).toEqual(['cancelled']);
});

it('a discharge taken back after all its follow-ups ended begins another transition when it comes', async () => {
  await hospital.put(admitted({ id: 'other' }));
  const anHourLater = { start: '2026-11-15T08:00:00-05:00', end: '2026-11-20T15:00:00-05:00' };
  await hospital.put(discharged({ id: 'other', period: anHourLater }, '03'));
  await hospital.run();
  await hospital.complete('review');
  await hospital.run();
  await hospital.put(admitted({ id: 'other' }));
  await hospital.run();
  hospital.at('2026-11-23T20:00:00Z');
  await hospital.put(
    discharged({ id: 'other', period: { start: '2026-11-15T08:00:00-05:00', end: '2026-11-23T14:00:00-05:00' } }),
  );
  await hospital.run();
  const live = (await hospital.episodes()).filter(({ status }) => status === 'active');
  expect(live.map(({ identifier }) => identifier?.[0]?.value)).toContain('other|2026-11-23T19:00:00Z');
});
