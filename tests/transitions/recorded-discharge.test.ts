// A discharge whose time nobody has told counts from when it was recorded, which a clerk may have done days later: how it lies to
// the patient's other stays is read from those that are over. docs/transitions.md#when-things-change
import type { Encounter } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withEnd } from '../../src/fhir/stand-in-end.ts';
import { isTerminal } from '../../src/fhir/status/task.ts';
import { admitted, discharged, type Hospital, openHospital, outcomeOf, tell as tellOf } from './hospital.ts';

let hospital: Hospital;
beforeEach(async () => {
  hospital = await openHospital();
});
afterEach(() => hospital.temp.cleanup());

const stay = (id: string, start: string, end: string) => discharged({ id, period: { start, end } });
const inHouse = (id: string, start: string) => admitted({ id, period: { start } });
const recorded = (id: string, start: string, end: string): Encounter => ({
  ...discharged({ id }),
  period: withEnd({ start }, end, true),
});

const tell = (at: string, ...encounters: Encounter[]) => tellOf(hospital, at, encounters);
const outcome = () => outcomeOf(hospital);

const FIRST = '2026-12-01T08:00:00-05:00';
const LATE = recorded('first', FIRST, '2026-12-18T10:00:00-05:00');
const NEXT = stay('next', '2026-12-10T08:00:00-05:00', '2026-12-14T14:00:00-05:00');

describe('a discharge that was recorded days later', () => {
  it('leaves the next stay alone, which is followed up', async () => {
    await tell('2026-12-01T14:00:00Z', inHouse('first', FIRST));
    await tell('2026-12-14T19:05:00Z', NEXT);
    const before = await hospital.followUps();
    await tell('2026-12-18T15:05:00Z', LATE);
    expect(await outcome()).toEqual({ next: 'active', first: 'continued' });
    expect(await hospital.followUps()).toEqual(before);
  });

  it('gives way to the next stay when that is told later', async () => {
    await tell('2026-12-18T15:05:00Z', LATE);
    expect(await outcome()).toEqual({ first: 'active' });
    await tell('2026-12-18T16:00:00Z', NEXT);
    expect(await outcome()).toEqual({ next: 'active', first: 'continued' });
  });

  it.each([
    ['before the next stay was told', [LATE, NEXT]],
    ['after', [NEXT, LATE]],
  ])('%s counts once it is told to have been after that stay', async (_, both) => {
    await tell('2026-12-18T15:05:00Z', ...both);
    expect(await outcome()).toEqual({ next: 'active', first: 'continued' });
    await tell('2026-12-18T18:00:00Z', stay('first', FIRST, '2026-12-17T16:00:00-05:00'));
    expect(await outcome()).toEqual({ first: 'active', next: 'continued' });
    const { period } = (await hospital.episodes()).find(({ status }) => status === 'active') ?? {};
    expect(period?.start).toBe('2026-12-17T16:00:00-05:00');
  });

  it('stays what it was when it is told to have been before the next stay', async () => {
    await tell('2026-12-18T15:05:00Z', NEXT, LATE);
    const before = await hospital.episodes();
    await tell('2026-12-18T18:00:00Z', stay('first', FIRST, '2026-12-08T16:00:00-05:00'));
    expect(await hospital.episodes()).toEqual(before);
  });

  it('was it an hour', async () => {
    await tell('2026-12-14T19:05:00Z', NEXT);
    await tell('2026-12-14T20:05:00Z', recorded('first', FIRST, '2026-12-14T15:00:00-05:00'));
    expect(await outcome()).toEqual({ next: 'active', first: 'continued' });
  });

  it('counts beside a stay that was perhaps never closed: rather one call too many', async () => {
    await tell('2026-12-10T14:00:00Z', inHouse('next', '2026-12-10T08:00:00-05:00'));
    await tell('2026-12-18T15:05:00Z', LATE);
    expect(await outcome()).toEqual({ first: 'active' });
  });

  it('counts after a stay elsewhere during which the patient was still said to be in', async () => {
    await tell('2026-12-14T19:05:00Z', NEXT);
    await tell('2026-12-15T14:00:00Z', inHouse('first', FIRST));
    await tell('2026-12-18T15:05:00Z', LATE);
    expect(await outcome()).toEqual({ next: 'continued', first: 'active' });
  });
});

it('a stay that proves to have been before frees the one that it had ended, however long ago it began', async () => {
  await tell('2026-11-19T19:05:00Z', stay('long', '2026-10-10T08:00:00-04:00', '2026-11-19T14:00:00-05:00'));
  const untold = (start: string): Encounter => ({ ...discharged({ id: 'other' }), period: { start } });
  await tell('2026-11-20T15:00:00Z', untold('2026-11-15T08:00:00-05:00'));
  expect(await outcome()).toEqual({ long: 'continued', other: 'active' });
  await tell('2026-11-21T15:00:00Z', untold('2026-10-01T08:00:00-04:00'));
  expect(await outcome()).toMatchObject({ long: 'active' });
  expect(Object.values(await hospital.followUps()).filter(({ status }) => !isTerminal(status))).not.toEqual([]);
});

it('a readmission that is told when it is history ends nothing that goes on', async () => {
  await tell('2026-11-20T19:05:00Z', discharged());
  await tell('2026-12-24T15:00:00Z', stay('again', '2026-11-21T08:00:00-05:00', '2026-11-22T14:00:00-05:00'));
  expect(await outcome()).toEqual({ stay: 'active' });
});

it('a discharge before a readmission that is told to have been after it counts', async () => {
  await tell('2026-12-05T19:05:00Z', stay('first', FIRST, '2026-12-05T14:00:00-05:00'));
  await tell('2026-12-14T19:05:00Z', NEXT);
  expect(await outcome()).toEqual({ next: 'active', first: 'readmitted' });
  await tell('2026-12-16T19:05:00Z', stay('first', FIRST, '2026-12-15T14:00:00-05:00'));
  expect(await outcome()).toEqual({ first: 'active', next: 'continued' });
});
