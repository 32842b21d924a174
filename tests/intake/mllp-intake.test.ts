import { once } from 'node:events';
import { connect } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { httpStatus } from '../../src/intake/http-status.ts';
import { connectMllp, sendMllp } from '../../src/intake/mllp/client.ts';
import { type MllpServer, startMllpServer } from '../../src/intake/mllp/server.ts';
import { createIntake } from '../../src/intake/receive.ts';
import { testParameters } from '../support/store-rules.ts';
import { openTempStore, type TempStore } from '../support/temp-store.ts';
import { edited, FACILITIES, fieldsOf, fixture } from './fixture.ts';

const A01 = fixture('a01-admit');
const log = pino({ level: 'silent' });

let temp: TempStore;
let server: MllpServer;
let target: { host: string; port: number };
beforeEach(async () => {
  temp = await openTempStore();
  const intake = createIntake({
    store: temp.store,
    clock: temp.clock,
    facilities: FACILITIES,
    parameters: testParameters,
    log,
  });
  server = await startMllpServer({
    host: '127.0.0.1',
    port: 0,
    receive: (raw) => intake.receive(raw, 'mllp'),
    refuseTooLong: intake.refuseTooLong,
    log,
  });
  target = { host: '127.0.0.1', port: server.port };
});
afterEach(async () => {
  await server.close();
  await temp.cleanup();
});

it('answers every kind of bad message on one connection and still takes the good one', async () => {
  const client = await connectMllp(target);
  const outcome = async (message: string | Uint8Array) => {
    const ack = await client.send(message);
    return [fieldsOf(ack, 'MSA')[1], fieldsOf(ack, 'ERR')[3]?.slice(0, 3)];
  };
  expect(await outcome('hello?')).toEqual(['AR', '100']);
  expect(await outcome(A01.replaceAll('|', ' '))).toEqual(['AR', '102']);
  expect(await outcome(Buffer.from(edited(A01, { 'PID-5': 'Ångström^Ö' }), 'latin1'))).toEqual(['AE', '102']);
  expect(await outcome(edited(A01, { 'ZZZ-1': 'x'.repeat(5_000_000) }))).toEqual(['AR', '207']);
  expect(await temp.store.head()).toBe(0);
  expect(await outcome(A01)).toEqual(['AA', undefined]);
  expect(await temp.store.head()).toBeGreaterThan(0);
  client.close();
});

it('has stored what it acknowledged when the process is started again', async () => {
  const ack = await sendMllp(target, A01);
  const store = await temp.reopen();
  const again = createIntake({ store, clock: temp.clock, facilities: FACILITIES, parameters: testParameters, log });
  const head = await store.head();
  expect(head).toBeGreaterThan(0);
  expect(await again.receive(Buffer.from(A01), 'mllp')).toEqual({ code: 'AA', ack });
  expect(await store.head()).toBe(head);
});

it('stores nothing of a message that the connection cut off', async () => {
  const socket = connect(target);
  socket.end(`\x0b${A01}`);
  await once(socket.resume(), 'close');
  expect(await temp.store.head()).toBe(0);
  expect(await temp.store.query('SELECT key FROM delivery')).toEqual([]);
});

it('maps acknowledgements to HTTP', () => {
  expect([httpStatus('AA'), httpStatus('AE'), httpStatus('AR')]).toEqual([200, 422, 400]);
});
