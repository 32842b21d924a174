// A deadline without a time ends with its day where Baton's days end, in lists and counts as in what is shown.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;
/** UTC's date at noon, when it is two in the morning of the next day in the zone. */
let utc: Temporal.PlainDate;

beforeAll(async () => {
  baton = await serveApi({ zone: 'Pacific/Kiritimati' });
  const { clock } = baton.temp;
  utc = clock.now().toZonedDateTimeISO('UTC').toPlainDate().add({ days: 1 });
  clock.moveTo(utc.toZonedDateTime({ timeZone: 'UTC', plainTime: '12:00' }).toInstant());
  const task = (id: string, end: string) => ({
    ...{ resourceType: 'Task', id, status: 'requested', intent: 'order', description: id },
    ...{
      for: { reference: 'Patient/ann' },
      owner: { reference: 'Practitioner/mary' },
      restriction: { period: { end } },
    },
  });
  await baton.put(
    { resourceType: 'Practitioner', id: 'mary' },
    {
      ...{ resourceType: 'PractitionerRole', id: 'mary-role', active: true },
      practitioner: { reference: 'Practitioner/mary' },
      code: [{ coding: [{ system: 'https://baton.health/fhir/CodeSystem/care-role', code: 'case-manager' }] }],
    },
    { resourceType: 'Patient', id: 'ann' },
    task('long-ago', utc.subtract({ days: 9 }).toString()),
    task('yesterday', utc.toString()),
    task('an-hour-ago', `${utc}T11:00:00Z`),
    task('in-an-hour', `${utc}T13:00:00Z`),
    task('today', utc.add({ days: 1 }).toString()),
    task('tomorrow', utc.add({ days: 2 }).toString()),
  );
  await baton.api('POST', '/cases', {
    body: { patient: { reference: 'Patient/ann' }, careManager: { reference: 'Practitioner/mary' } },
  });
});
afterAll(() => baton.close());

const ids = async (query: string) => {
  const { json } = await baton.api('GET', `/worklist?${query}`);
  return (json.items as { id: string }[]).map(({ id }) => id).toSorted();
};

it('lists what is overdue and what is not', async () => {
  expect(await ids('overdue=true')).toEqual(['an-hour-ago', 'long-ago', 'yesterday']);
  expect(await ids('overdue=true&limit=2')).toHaveLength(2);
  expect(await ids('overdue=false')).toEqual(['in-an-hour', 'today', 'tomorrow']);
});

it('counts the same', async () => {
  const { json } = await baton.api('GET', '/caseloads/Practitioner/mary'.replace('Practitioner/', ''));
  expect(json, JSON.stringify(json)).toMatchObject({ overdue: 3, dueToday: 2 });
});
