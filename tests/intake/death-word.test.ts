// Whether a patient has died, by messages that come in any order, by others who write here, and of records that are merged.
import type { Patient } from '@medplum/fhirtypes';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIntake } from '../../src/intake/receive.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore } from '../support/temp-store.ts';
import { bytes, edited, FACILITIES, fixture } from './fixture.ts';
import { permutations } from './permutations.ts';

const ADMIT = fixture('a01-admit');
const CLIENT = { kind: 'user', reference: 'Practitioner/nurse' } as const;

let temp: Awaited<ReturnType<typeof openTempStore>>;
let intake: ReturnType<typeof createIntake>;
let sent = 0;
beforeEach(async () => {
  temp = await openTempStore({ memory: true });
  const { store, clock } = temp;
  const log = pino({ level: 'silent' });
  intake = createIntake({ store, clock, facilities: FACILITIES, parameters: testParameters, log });
});
afterEach(() => temp.cleanup());

async function send(message: string): Promise<void> {
  sent += 1;
  const { code } = await intake.receive(bytes(edited(message, { 'MSH-10': `D${sent}` })), 'mllp');
  expect(code).toBe('AA');
}

/** @param hour of the event @param word PID-30 */
const say = (who: string, hour: number, word: string, more: Record<string, string> = {}) =>
  send(
    edited(ADMIT, {
      ...{ 'EVN-2': `20261125${String(hour).padStart(2, '0')}`, 'PID-3': `${who}^^^HARBOR^MR`, 'PID-30': word },
      ...{ 'PV1-19': `${who}-${hour}^^^HARBOR^VN`, ...more },
    }),
  );

async function merge(): Promise<void> {
  const pid = edited(ADMIT, { 'PID-30': '', 'PID-3': 'NEW^^^HARBOR^MR' });
  const message = `${pid.split('\r').slice(0, 3).join('\r')}\rMRG|OLD^^^HARBOR^MR\r`;
  await send(edited(message, { 'MSH-9': 'ADT^A40', 'EVN-2': '2026112515' }));
}

async function read(who: string): Promise<{ patient: Patient; versionId: string }> {
  const [found] = await temp.store.find(`Patient?identifier=https://baton.health/fhir/sid/HARBOR|${who}`);
  return { patient: JSON.parse(found?.content ?? '{}') as Patient, versionId: found?.versionId ?? '' };
}

/** Undefined when nothing is said. */
const isDead = async (who: string) => {
  const { deceasedBoolean, deceasedDateTime } = (await read(who)).patient;
  return deceasedDateTime !== undefined || deceasedBoolean;
};

/** As a FHIR client or another system writes it. */
async function write(who: string, change: (patient: Patient) => Patient): Promise<void> {
  const { patient, versionId } = await read(who);
  await temp.store.commit(CLIENT, [{ op: 'update', resource: change(patient), ifMatch: versionId }]);
}

const died = ({ deceasedBoolean: _, ...patient }: Patient): Patient => ({
  ...patient,
  deceasedDateTime: '2026-11-25T13:00:00-05:00',
});

it.each([
  ['a mistake', ['Y', 'N', ''], false],
  ['said again by a newer message, which changes nothing', ['N', 'Y', 'N', 'Y', 'Y'], true],
  ['withdrawn', ['Y', '""', ''], undefined],
  ['told once', ['', 'Y', ''], true],
])('is what was said last of it, in any order: %s', async (_, words, dead) => {
  const ends = new Set<unknown>();
  for (const [index, order] of permutations(words.map((__, hour) => hour)).entries()) {
    for (const hour of order) await say(`D${index}`, hour, words[hour] ?? '');
    ends.add(await isDead(`D${index}`));
  }
  expect([...ends]).toEqual([dead]);
});

it('a date of death that is emptied alone is a word, too', async () => {
  await say('NEW', 9, '', { 'PID-29': '20261125080000' });
  await say('NEW', 12, '', { 'PID-29': '""' });
  expect(await isDead('NEW')).toBeFalsy();
  await say('NEW', 10, '', { 'PID-29': '20261125080000' });
  expect(await isDead('NEW')).toBeFalsy();
});

it('what a client wrote gives way to what is newer, not to a late word', async () => {
  await say('NEW', 9, 'N');
  await say('NEW', 12, '', { 'PID-11': '9 New St^^Town' });
  await write('NEW', died);
  await say('NEW', 10, 'N');
  expect(await isDead('NEW')).toBe(true);
  await say('NEW', 14, 'N');
  expect(await isDead('NEW')).toBe(false);
});

describe('of records that are merged', () => {
  it.each([
    ['the old one, later', 11, true],
    ['the old one, before the new one', 9, false],
  ])('the one that spoke last of it counts: %s', async (_, hour, dead) => {
    await say('NEW', 10, 'N');
    await say('OLD', hour, 'Y');
    await merge();
    expect(await isDead('NEW')).toBe(dead);
  });

  it('also when it only confirmed what was known', async () => {
    await say('OLD', 9, 'Y');
    await say('NEW', 10, 'N');
    await say('OLD', 11, 'Y');
    await merge();
    expect(await isDead('NEW')).toBe(true);
  });

  it('the old one, when nobody knows since when it says so and the new one says nothing', async () => {
    await say('OLD', 9, '');
    await write('OLD', died);
    await say('NEW', 10, '');
    await merge();
    expect(await isDead('NEW')).toBe(true);
  });
});
