// 1 to 9. Dates are ranges on both sides. https://hl7.org/fhir/R4/search.html#date
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Asked, ask, refused } from './asked.ts';

let asked: Asked;

const subject = { reference: 'Patient/day' };
const born = (id: string, birthDate?: string) => ({ resourceType: 'Patient', id, ...(birthDate ? { birthDate } : {}) });
const plan = (id: string, period: object | undefined) => ({
  resourceType: 'CarePlan',
  id,
  status: 'active',
  intent: 'plan',
  subject,
  ...(period ? { period } : {}),
});
const request = (id: string, more: object) => ({
  resourceType: 'ServiceRequest',
  id,
  status: 'active',
  intent: 'order',
  subject,
  ...more,
});
const thisYear = Temporal.Now.plainDateISO().year;

beforeAll(async () => {
  asked = await ask(
    born('year', '2000'),
    born('month', '2000-03'),
    born('day', '2000-03-13'),
    born('next', '2000-03-14'),
    born('unknown'),
    plan('open', { start: '2026-01-01' }),
    plan('until', { end: '2025-12-31' }),
    plan('closed', { start: '2026-01-01', end: '2026-01-31' }),
    plan('timeless', undefined),
    request('bounds', { occurrenceTiming: { repeat: { boundsPeriod: { end: '2025-06-30' } } } }),
    request('events', { occurrenceTiming: { event: ['2025-03-01', '2025-04-01T08:00:00Z'] } }),
    request('period', { occurrencePeriod: { start: '2024-12-01', end: '2024-12-31' } }),
    request('moment', { occurrenceDateTime: '2025-01-01' }),
    request('offset', { authoredOn: '2024-01-01T00:00:00+02:00' }),
    request('fraction', { authoredOn: '2024-05-05T12:00:15.500Z' }),
    request('second', { authoredOn: '2024-05-05T12:00:15Z' }),
    request('midnight', { authoredOn: '2001-01-01T00:00:00Z' }),
    request('before-midnight', { authoredOn: '2000-12-31T23:59:59.999Z' }),
  );
});
afterAll(() => asked.close());

const rule = (title: string, base: string, rows: readonly [string, string[]][]) =>
  describe(title, () => {
    test.each(rows)(`${base}=%s`, async (value, expected) => {
      expect(await asked.found(`${base}=${value}`)).toEqual(expected);
    });
  });

rule('1. eq: the range of the query contains the stored one', 'Patient?birthdate', [
  ['2000-03-13', ['day']],
  ['eq2000-03-13', ['day']],
  ['2000-03', ['day', 'month', 'next']],
  ['2000', ['day', 'month', 'next', 'year']],
  ['2000-03-13,2000-03-14', ['day', 'next']],
  ['2001', []],
]);

describe('2. ne', () => {
  it.each(['2000-03-13', '2000-03', '2000', '2000-04', '1999-12-31'])(
    '%s is the complement of eq over those with a value',
    async (value) => {
      const [equal, other] = [
        await asked.found(`Patient?birthdate=${value}`),
        await asked.found(`Patient?birthdate=ne${value}`),
      ];
      expect([...equal, ...other].toSorted()).toEqual(['day', 'month', 'next', 'year']);
    },
  );
});

rule('3. gt and lt reach into what straddles, sa and eb do not', 'Patient?birthdate', [
  ['gt2000-03-13', ['month', 'next', 'year']],
  ['lt2000-03-13', ['month', 'year']],
  ['sa2000-03-13', ['next']],
  ['eb2000-03-13', []],
  ['eb2000-03-14', ['day']],
  ['sa2000-02', ['day', 'month', 'next']],
  ['eb2000-04', ['day', 'month', 'next']],
]);

rule('4. the day itself is in ge and le, the next midnight is not in lt', 'Patient?birthdate', [
  ['ge2000-03-13', ['day', 'month', 'next', 'year']],
  ['ge2000-03-14', ['month', 'next', 'year']],
  ['lt2000-03-14', ['day', 'month', 'year']],
  ['le2000-03-13', ['day', 'month', 'year']],
  ['ge2000-03-13&birthdate=lt2000-03-14', ['day', 'month', 'year']],
]);
rule('4. the end of a year', 'ServiceRequest?authored', [
  ['le2000-12-31', ['before-midnight']],
  ['lt2001-01-01', ['before-midnight']],
  ['ge2001-01-01&authored=lt2001-01-02', ['midnight']],
  ['2000-12-31', ['before-midnight']],
]);

rule('5. ap: what overlaps a tenth of the time to now', 'CarePlan?date', [
  [`ap${thisYear + 30}`, ['open']],
  ['ap1990-01-01', ['until']],
]);

rule('5. ap: near and not near', 'Patient?birthdate', [
  ['ap2001', ['day', 'month', 'next', 'year']],
  ['ap2015', []],
]);

rule('6. a Period without an end never ends, one without a start has always been', 'CarePlan?date', [
  ['ge2030', ['open']],
  ['le2020', ['until']],
  ['sa2025-12-31', ['closed', 'open']],
  ['eb2030', ['closed', 'until']],
  ['eb9999', ['closed', 'until']],
  ['2026', ['closed']],
  ['ne2026', ['open', 'until']],
  ['lt2026-01-01', ['until']],
]);

rule('7. a Timing is found by its events or its bounds', 'ServiceRequest?occurrence', [
  ['ge2025-01-01', ['bounds', 'events', 'moment']],
  ['2025-01-01', ['moment']],
  ['gt2025-06-30', []],
  ['eb2025-07-01', ['bounds', 'events', 'moment', 'period']],
  ['le2020', ['bounds']],
  ['sa2025-02', ['events']],
  ['2024-12', ['period']],
]);

rule('8. an offset names the moment, seconds may be left out', 'ServiceRequest?authored', [
  ['2024-01-01T00:00:00%2B02:00', ['offset']],
  ['2023-12-31T22:00:00Z', ['offset']],
  ['2023-12-31T17:00:00-05:00', ['offset']],
  ['2023-12-31T22:00Z', ['offset']],
  ['2024-05-05T14:00%2B02:00', ['fraction', 'second']],
]);

describe('8. what is no date', () => {
  it.each([
    '2024-01-01T00:00:00+02:00',
    '2024-01-01T10',
    '2024-01-01T10Z',
    '2024-01-01T24:00Z',
    '2024-01-01T10:60Z',
    '2024-02-30',
    '2023-02-29',
    '2024-13',
    '2024-00-01',
    '24-01-01',
    '2024-1-1',
    '20240101',
    'today',
    'ge',
    'xx2024',
    '2024-01-01T00:00:00%2B25:00',
    '',
  ])('%s is refused', async (value) => {
    const { issue } = await refused(asked.baton, `ServiceRequest?authored=${value}`);
    expect(issue?.[0]?.code).toBe('value');
    await refused(asked.baton, `ServiceRequest?authored=2024,${value || 'x'}`);
  });
});

rule('9. fractions of a second', 'ServiceRequest?authored', [
  ['2024-05-05T12:00:15.5000000Z', ['fraction']],
  ['2024-05-05T12:00:15.5Z', ['fraction']],
  ['2024-05-05T12:00:15Z', ['fraction', 'second']],
  ['2024-05-05T12:00:16Z', []],
  ['gt2024-05-05T12:00:15.4Z', ['fraction', 'second']],
  ['gt2024-05-05T12:00:15.5Z', ['second']],
  ['ge2024-05-05T12:00:15.5Z&authored=lt2024-05-05T12:00:15.6Z', ['fraction', 'second']],
]);
