// Dates are ranges on both sides. https://hl7.org/fhir/R4/search.html#date
import type { CarePlan, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSearchWorld, type SearchWorld } from './search-world.ts';

let world: SearchWorld;

const born = (id: string, birthDate?: string): Patient => ({
  resourceType: 'Patient',
  id,
  ...(birthDate ? { birthDate } : {}),
});
const plan = (id: string, period: CarePlan['period']): CarePlan => ({
  resourceType: 'CarePlan',
  id,
  status: 'active',
  intent: 'plan',
  subject: { reference: 'Patient/day' },
  ...(period ? { period } : {}),
});
const request = (id: string, more: Partial<ServiceRequest>): ServiceRequest => ({
  resourceType: 'ServiceRequest',
  id,
  status: 'active',
  intent: 'order',
  subject: { reference: 'Patient/day' },
  ...more,
});

beforeAll(async () => {
  world = await openSearchWorld();
  await world.put(
    born('year', '2000'),
    born('month', '2000-03'),
    born('day', '2000-03-13'),
    born('next', '2000-03-14'),
    born('unknown'),
    plan('open', { start: '2026-01-01' }),
    plan('until', { end: '2025-12-31' }),
    plan('closed', { start: '2026-01-01', end: '2026-01-31' }),
    request('timed', { occurrenceTiming: { repeat: { boundsPeriod: { end: '2025-06-30' } } } }),
    request('instant', { authoredOn: '2024-01-01T00:00:00+02:00' }),
    request('fraction', { authoredOn: '2024-05-05T12:00:15.500Z' }),
  );
});
afterAll(() => world.cleanup());

test.each([
  ['2000-03-13', ['day']],
  ['2000-03', ['day', 'month', 'next']],
  ['2000', ['day', 'month', 'next', 'year']],
  ['ne2000-03-13', ['month', 'next', 'year']],
  ['ne2000-03', ['year']],
  ['gt2000-03-13', ['month', 'next', 'year']],
  ['lt2000-03-13', ['month', 'year']],
  ['sa2000-03-13', ['next']],
  ['eb2000-03-14', ['day']],
  ['ge2000-03-13', ['day', 'month', 'next', 'year']],
  ['ge2000-03-14', ['month', 'next', 'year']],
  ['lt2000-03-14', ['day', 'month', 'year']],
  ['le2000-03-13', ['day', 'month', 'year']],
  ['le2000-03', ['day', 'month', 'next', 'year']],
  ['sa2000-02', ['day', 'month', 'next']],
  ['eb2000-04', ['day', 'month', 'next']],
  ['2000-03-13,2000-03-14', ['day', 'next']],
  ['ne2000-03-13,2000-03-13', ['day', 'month', 'next', 'year']],
  ['ap2000-03-13', ['day', 'month', 'next', 'year']],
])('birthdate=%s', async (value, expected) => {
  expect(await world.found(`Patient?birthdate=${value}`)).toEqual(expected);
});

test('repeating a date makes a range', async () => {
  expect(await world.found('Patient?birthdate=ge2000-03-13&birthdate=lt2000-03-14')).toEqual(['day', 'month', 'year']);
  expect(await world.found('Patient?birthdate=sa2000-02&birthdate=eb2000-03-14')).toEqual(['day']);
});

test.each([
  ['ge2030', ['open']],
  ['le2020', ['until']],
  ['sa2025-12-31', ['closed', 'open']],
  ['eb2030', ['closed', 'until']],
  ['2026', ['closed']],
  ['ap2026', ['closed', 'open', 'until']],
  ['lt2026-01-01', ['until']],
])('a period without an end is open: date=%s', async (value, expected) => {
  expect(await world.found(`CarePlan?date=${value}`)).toEqual(expected);
});

test('a timing is found by its bounds, at the precision of days', async () => {
  expect(await world.found('ServiceRequest?occurrence=ge2025-01-01')).toEqual(['timed']);
  expect(await world.found('ServiceRequest?occurrence=eb2025-07-01')).toEqual(['timed']);
  expect(await world.found('ServiceRequest?occurrence=ge2025-07-01')).toEqual([]);
});

test('offsets name the same moment, fractions of a second are equal, a second covers all of it', async () => {
  expect(await world.found('ServiceRequest?authored=2023-12-31T22:00:00Z')).toEqual(['instant']);
  expect(await world.found('ServiceRequest?authored=2024-01-01T00:00:00%2B02:00')).toEqual(['instant']);
  expect(await world.found('ServiceRequest?authored=2023-12-31T22:00Z')).toEqual(['instant']);
  expect(await world.found('ServiceRequest?authored=2024-05-05T12:00:15.5000000Z')).toEqual(['fraction']);
  expect(await world.found('ServiceRequest?authored=2024-05-05T12:00:15Z')).toEqual(['fraction']);
  expect(await world.found('ServiceRequest?authored=2024-05-05T12:00:16Z')).toEqual([]);
});

test('_lastUpdated is compared with the millisecond of the write', async () => {
  const { items } = await world.search('Patient?_id=day');
  const moment = items[0]?.lastUpdated ?? '';
  expect(await world.found(`Patient?_id=day,next&_lastUpdated=${moment}`)).toContain('day');
  expect(await world.found(`Patient?_id=day&_lastUpdated=ge${moment}`)).toEqual(['day']);
  expect(await world.found(`Patient?_id=day&_lastUpdated=le${moment}`)).toEqual(['day']);
  for (const prefix of ['gt', 'lt', 'ne', 'sa', 'eb']) {
    expect(await world.found(`Patient?_id=day&_lastUpdated=${prefix}${moment}`)).toEqual([]);
  }
  expect(await world.found('Patient?_lastUpdated=lt2000')).toEqual([]);
});
