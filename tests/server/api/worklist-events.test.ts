// Server-sent events of the worklist, over a real connection.
import { once } from 'node:events';
import { type ClientRequest, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serve, type TestServer } from '../serve.ts';

let baton: TestServer;
let port: number;
const open: ClientRequest[] = [];
beforeAll(async () => {
  baton = await serve();
  await baton.server.listen({ port: 0, host: '127.0.0.1' });
  port = (baton.server.server.address() as AddressInfo).port;
  for (const id of ['ann', 'bob']) {
    await baton.fhir('PUT', `/Patient/${id}`, { body: { resourceType: 'Patient', id, name: [{ family: 'Secret' }] } });
  }
});
afterAll(async () => {
  for (const request of open) request.destroy();
  await baton.close();
});

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, string>;
}

/** Reads events one after the other. */
async function stream(token: string, path = '', headers: Record<string, string> = {}) {
  const request = get({
    port,
    host: '127.0.0.1',
    path: `/api/v1/worklist/events${path}`,
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
  });
  open.push(request);
  const [response] = await once(request, 'response');
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  return {
    status: response.statusCode as number,
    type: String(response.headers['content-type']),
    headers: response.headers as Record<string, string>,
    async next(): Promise<Event> {
      const fields: Record<string, string> = {};
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error('The stream has ended.');
        if (value === '' && fields.data) break;
        const colon = value.indexOf(':');
        if (colon > 0) fields[value.slice(0, colon)] = value.slice(colon + 2);
      }
      return { id: fields.id ?? '', event: fields.event ?? '', data: JSON.parse(fields.data ?? '{}') };
    },
    close: () => request.destroy(),
  };
}

const put = (id: string, patient: string, more: Partial<Task> = {}) =>
  baton.fhir('PUT', `/Task/${id}`, {
    body: {
      resourceType: 'Task',
      id,
      status: 'requested',
      intent: 'order',
      for: { reference: `Patient/${patient}` },
      ...more,
    },
  });

it('tells of each Task that changes, and nothing about the patient', async () => {
  const events = await stream(await baton.token('system/Task.rs'));
  expect(events.type).toBe('text/event-stream');
  expect(events.headers['cache-control']).toBe('no-store');
  expect((await events.next()).event).toBe('ready');
  await put('first', 'ann', { priority: 'urgent', restriction: { period: { end: '2026-12-01T12:00:00Z' } } });
  const { event, data } = await events.next();
  expect(event).toBe('task');
  expect(data).toEqual({
    task: 'Task/first',
    version: '1',
    status: 'requested',
    priority: 'urgent',
    due: '2026-12-01T12:00:00Z',
  });
  events.close();
});

it('goes on after the event that a client has seen last', async () => {
  const token = await baton.token('system/Task.rs');
  const before = await stream(token);
  const { id } = await before.next();
  before.close();
  await put('away', 'ann');
  await put('away', 'ann', { description: 'again' });
  const after = await stream(token, '', { 'last-event-id': id });
  expect((await after.next()).data).toMatchObject({ task: 'Task/away', version: '2' });
  after.close();
  const lost = await stream(token, '', { 'last-event-id': '999999999' });
  expect((await lost.next()).event).toBe('reset');
  lost.close();
});

it('shows only what the reader may see, and what was asked for', async () => {
  const ann = await stream(await baton.token('patient/Task.rs', 'ann'));
  const own = await stream(await baton.token('system/Task.rs'), '?owner=Practitioner/me');
  await ann.next();
  await own.next();
  await put('of-bob', 'bob');
  await put('mine', 'bob', { owner: { reference: 'Practitioner/me' } });
  await put('of-ann', 'ann');
  expect((await ann.next()).data.task).toBe('Task/of-ann');
  expect((await own.next()).data.task).toBe('Task/mine');
  ann.close();
  own.close();
});

it('tells everybody who follows, wherever in the log they began', async () => {
  const token = await baton.token('system/Task.rs');
  const streams = await Promise.all(Array.from({ length: 5 }, () => stream(token)));
  const [ready] = await Promise.all(streams.map((each) => each.next()));
  await put('told', 'ann');
  const late = await stream(token, '', { 'last-event-id': ready?.id ?? '' });
  await put('told-again', 'ann');
  for (const each of [...streams, late]) {
    expect((await each.next()).data.task).toBe('Task/told');
    expect((await each.next()).data.task).toBe('Task/told-again');
    each.close();
  }
});

it.each([
  ['without a token', '', '', 401],
  ['with a scope for something else', 'system/Patient.rs', '', 403],
  ['with a parameter that there is not', 'system/Task.rs', '?patient=ann', 400],
])('%s there is no stream', async (_, scope, path, status) => {
  const token = scope === '' ? 'none' : await baton.token(scope);
  expect((await stream(token, path)).status).toBe(status);
});

it('nobody takes all the streams for themselves', async () => {
  const token = await baton.token('system/Task.rs');
  const streams = await Promise.all(Array.from({ length: 21 }, () => stream(token)));
  expect(streams.map(({ status }) => status).filter((status) => status === 503)).toHaveLength(1);
  for (const each of streams) each.close();
});
