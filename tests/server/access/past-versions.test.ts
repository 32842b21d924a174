// What was is shown to who may see what is, as long as it is about the same patients and labelled alike.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

let baton: TestServer;

const put = async (patient: string, more: object = {}) => {
  const body = { resourceType: 'Task', id: 't', status: 'requested', intent: 'order', ...more };
  const task = { ...body, for: { reference: `Patient/${patient}` } };
  expect((await baton.fhir('PUT', '/Task/t', { body: task })).status).toBeLessThan(300);
};

beforeAll(async () => {
  baton = await serve();
  for (const id of ['own', 'other'])
    await baton.fhir('PUT', `/Patient/${id}`, { body: { resourceType: 'Patient', id } });
  await put('other', { description: 'of the other' });
  await put('own', { description: 'first' });
  await put('own', { meta: { security: [{ system: 'urn:s', code: 'secret' }] }, description: 'labelled' });
  await put('own', { description: 'last' });
});

afterAll(() => baton.close());

const versions = async (as: string) => {
  const { status, json } = await baton.fhir('GET', '/Task/t/_history', { as });
  return [status, json.total, json.entry?.map(({ resource }) => resource?.meta?.versionId)];
};

it('of the same patient with the same labels', async () => {
  const as = await baton.token('patient/Task.rs', 'own');
  expect(await versions(as)).toEqual([200, undefined, ['4', '2']]);
  const status = async (version: number) => (await baton.fhir('GET', `/Task/t/_history/${version}`, { as })).status;
  expect(await Promise.all([1, 2, 3, 4, 5].map(status))).toEqual([404, 200, 404, 200, 404]);
});

it('not where the reach hangs on what a version says, nor of another patient', async () => {
  expect(await versions(await baton.token('system/Task.rs?status=requested'))).toEqual([403, undefined, undefined]);
  expect(await versions(await baton.token('patient/Task.rs', 'other'))).toEqual([404, undefined, undefined]);
  expect(await versions(await baton.token('system/Task.rs'))).toEqual([200, 4, ['4', '3', '2', '1']]);
});
