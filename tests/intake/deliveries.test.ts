// Whatever HL7 senders really do wrong gets the right acknowledgement, is kept, and can be repaired: over HTTP.
// domain.md §4 (MLLP/ACK, table 0357).
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Facility } from '../../src/intake/map/reading.ts';
import { createIntake, type Intake } from '../../src/intake/receive.ts';
import { readSender } from '../../src/intake/sender.ts';
import { PARAMETERS, serve, type TestServer } from '../server/serve.ts';
import { bytes, edited, fieldsOf, fixture, without } from './fixture.ts';

const A01 = fixture('a01-admit');
const facilities: Facility[] = [{ code: 'HARBOR', name: 'Harbor General', zone: 'America/New_York' }];
const ER7 = { 'content-type': 'x-application/hl7-v2+er7' };
const JSON_BODY = { 'content-type': 'application/json' };

const STORED = readSender({ facility: 'STORED', standsFor: 'HARBOR', acknowledge: 'stored' }, [], 'test.json');

let baton: TestServer;
let intake: Intake;
beforeAll(async () => {
  const log = pino({ level: 'silent' });
  baton = await serve(({ store, clock }) => {
    intake = createIntake({ store, clock, facilities, senders: [STORED], parameters: PARAMETERS, log });
    return { intake };
  });
});
afterAll(() => baton.close());

interface Kept {
  readonly id: string;
  readonly key: string;
  readonly outcome: string;
  readonly condition?: string;
  readonly facility?: string;
}

let number = 0;
async function send(text: string | Uint8Array) {
  const answer = await baton.send('POST', '/intake/hl7v2', { body: Buffer.from(text as string), headers: ER7 });
  const [msa, err] = ['MSA', 'ERR'].map((segment) => fieldsOf(answer.text, segment));
  return { status: answer.status, code: msa?.[1], condition: err?.[3]?.split('^')[0], at: err?.[2], text: err?.[8] };
}
const own = () => `BAD${++number}`;
const list = async (query: string) => (await baton.send('GET', `/ops/deliveries?${query}`)).json.items as Kept[];
const post = (path: string, body: object) =>
  baton.send('POST', `/ops/${path}`, { body: JSON.stringify(body), headers: JSON_BODY });
const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('bad input', () => {
  const change = (fields: Record<string, string>) => (id: string) => edited(A01, { 'MSH-10': id, ...fields });
  it.each<[string, (id: string) => string | Uint8Array, string | undefined, string | undefined, string | undefined]>([
    [
      'bytes that are not UTF-8',
      (id) => latin1(edited(A01, { 'MSH-10': id, 'PID-5': 'Müller^Ä' })),
      'AE',
      '102',
      'MSH^1^18',
    ],
    ['UTF-16', (id) => Buffer.from(edited(A01, { 'MSH-10': id }), 'utf16le'), 'AE', '102', ''],
    ['a character set that is not read', change({ 'MSH-18': 'JIS X0202' }), 'AE', '103', 'MSH^1^18'],
    [
      'bytes beyond ASCII where MSH-18 says ASCII',
      change({ 'MSH-18': 'ASCII', 'PID-5': 'Müller' }),
      'AE',
      '102',
      'MSH^1^18',
    ],
    ['a NUL in a name', change({ 'PID-5': 'Test\u0000mann' }), 'AE', '102', ''],
    ['no PID', (id) => without(edited(A01, { 'MSH-10': id }), 'PID'), 'AE', '100', 'PID'],
    ['no PV1', (id) => without(edited(A01, { 'MSH-10': id }), 'PV1'), 'AE', '100', 'PV1'],
    ['no patient identifier', change({ 'PID-3': '' }), 'AE', '101', 'PID^1^3'],
    ['no visit number', change({ 'PV1-19': '', 'PV1-50': '', 'PID-18': '' }), 'AE', '101', 'PV1^1^19'],
    [
      'two PID of an admission',
      (id) => edited(A01, { 'MSH-10': id }).replace('\rPD1', `\r${line('PID')}\rPD1`),
      'AE',
      '100',
      'PID^2',
    ],
    ['two PV1', (id) => `${edited(A01, { 'MSH-10': id })}${line('PV1')}\r`, 'AE', '100', 'PV1^2'],
    ['two messages in one', (id) => `${edited(A01, { 'MSH-10': id })}${A01}`, 'AE', '100', ''],
    ['the 30th of February', change({ 'PV1-44': '20260230' }), 'AE', '102', 'PV1^1^44'],
    ['a birth date in words', change({ 'PID-7': '7 MAR 48' }), 'AE', '102', 'PID^1^7'],
    ['a discharge before the admission', change({ 'PV1-45': '20200101' }), 'AE', '102', 'PV1^1^45'],
    ['a discharge next year', change({ 'PV1-45': '20271120120000' }), 'AE', '102', 'PV1^1^45'],
    ['a time of the event that is none', change({ 'EVN-2': '2026-11-20' }), 'AE', '102', 'EVN^1^2'],
    ['no message time', change({ 'MSH-7': '' }), 'AE', '101', 'MSH^1^7'],
    ['a facility that is not configured', change({ 'MSH-4': 'SOUTH' }), 'AE', '103', 'MSH^1^4'],
    ['another event', change({ 'MSH-9': 'ADT^A99' }), 'AR', '201', 'MSH^1^9'],
    ['another kind of message', change({ 'MSH-9': 'ORU^R01' }), 'AR', '200', 'MSH^1^9'],
    ['another version', change({ 'MSH-12': '1.0' }), 'AR', '203', 'MSH^1^12'],
    [
      'separators that are the same',
      (id) => edited(A01, { 'MSH-10': id }).replace('^~\\&', '^^^^'),
      'AR',
      '102',
      'MSH^1^2',
    ],
    [
      'a line that is no segment',
      (id) => edited(A01, { 'MSH-10': id }).replace('\rPD1', '\rcontinued text\rPD1'),
      'AE',
      '100',
      '',
    ],
    [
      'an unknown disposition',
      (id) => edited(fixture('a03-discharge'), { 'MSH-10': id, 'PV1-36': 'ZZ^To the moon' }),
      'AA',
      '204',
      undefined,
    ],
    [
      'repeated insurance and next of kin',
      (id) => `${edited(A01, { 'MSH-10': id })}${line('NK1')}\r${line('IN1')}\r`,
      'AA',
      undefined,
      undefined,
    ],
  ])('%s', async (_, make, code, condition, at) => {
    const id = own();
    const before = (await list('limit=500')).length;
    const answer = await send(make(id));
    expect([answer.code, answer.condition]).toEqual([code, condition]);
    if (at !== undefined) expect(answer.at).toBe(at);
    expect(await list('limit=500')).toHaveLength(before + 1);
    const [kept] = await list('limit=1');
    expect(kept?.outcome).toBe(code);
    expect(JSON.stringify(kept)).not.toMatch(/Testmann|Ottilie|7700123|Müller/);
  });

  it('a message over the limit is rejected and its beginning kept, which is not taken for the whole', async () => {
    const answer = await send(`${edited(A01, { 'MSH-10': own() })}NTE|1||${'x'.repeat(1_050_000)}\r`);
    expect([answer.status, answer.code, answer.condition]).toEqual([400, 'AR', '207']);
    const [kept] = await list('condition=too-long&limit=1');
    expect((await post(`deliveries/${kept?.id}/replay`, {})).status).toBe(422);
    const whole = edited(A01, { 'MSH-10': own() });
    expect((await post(`deliveries/${kept?.id}/replay`, { body: whole })).json).toMatchObject({ outcome: 'AA' });
  });

  const line = (name: string) => A01.split('\r').find((one) => one.startsWith(name)) ?? '';
});

describe('what was refused', () => {
  it('is taken in when its facility is configured, with a dry run first', async () => {
    const id = own();
    const mine = { 'PID-3': `${id}^^^NORTH^MR`, 'PV1-19': `${id}^^^NORTH^VN` };
    await send(edited(A01, { 'MSH-4': 'NORTH', 'MSH-10': id, ...mine }));
    const filter = { facility: 'NORTH' };
    expect((await post('replay-deliveries', { filter })).json.results).toMatchObject([{ outcome: 'AE' }]);
    facilities.push({ code: 'NORTH', name: 'North', zone: 'America/Chicago' });
    const dry = (await post('replay-deliveries', { filter, dryRun: true })).json.results;
    expect(dry).toMatchObject([
      { outcome: 'would-AA', changes: expect.arrayContaining([{ op: 'create', type: 'Encounter' }]) },
    ]);
    expect((await baton.fhir('GET', `/Encounter?identifier=${id}`)).json.total).toBe(0);
    expect((await post('replay-deliveries', { filter })).json.results).toMatchObject([{ outcome: 'AA' }]);
    expect((await baton.fhir('GET', `/Encounter?identifier=${id}`)).json.total).toBe(1);
    expect((await post('replay-deliveries', { filter })).json.results).toEqual([]);
    expect(await list('facility=NORTH')).toMatchObject([{ outcome: 'AA', attempts: 3 }]);
    // The sender tries again as well: nothing more happens.
    expect((await send(edited(A01, { 'MSH-4': 'NORTH', 'MSH-10': id, ...mine }))).code).toBe('AA');
  });

  it('is taken in as corrected; what was received stays beside it', async () => {
    const id = own();
    await send(edited(A01, { 'MSH-10': id, 'PID-3': `${id}^^^HARBOR^MR`, 'PV1-44': '20260230' }));
    const [kept] = await list(`key=${encodeURIComponent(`WARDADT|HARBOR|${id}`)}`);
    const seen = (await baton.send('GET', `/ops/deliveries/${kept?.id}`)).json;
    const mine = { 'PV1-44': '20260228', 'PV1-19': `${id}^^^HARBOR^VN` };
    const body = edited(String(seen.body), mine).replaceAll('\r', '\n');
    expect((await post(`deliveries/${kept?.id}/replay`, { body })).json).toMatchObject({ outcome: 'AA', remarks: [] });
    const after = (await baton.send('GET', `/ops/deliveries/${kept?.id}`)).json;
    expect(after).toMatchObject({ outcome: 'AA', original: seen.body, attempts: 2, correctedBy: expect.any(String) });
    expect((await baton.fhir('GET', `/Encounter?identifier=${id}`)).json.total).toBe(1);
    expect((await post(`deliveries/${kept?.id}/replay`, {})).json).toMatchObject({ outcome: 'already-accepted' });
    const audited = (await baton.audited()).map(({ interaction }) => interaction);
    expect(audited).toEqual(expect.arrayContaining(['ops-delivery', 'ops-delivery-replay']));
  });

  it('is left be with a reason, until it comes again', async () => {
    const id = own();
    const wrong = edited(A01, { 'MSH-10': id, 'PID-7': 'x' });
    await send(wrong);
    const key = encodeURIComponent(`WARDADT|HARBOR|${id}`);
    const [kept] = await list(`key=${key}&waits=true`);
    expect((await post(`deliveries/${kept?.id}/dismiss`, {})).status).toBe(400);
    expect((await post(`deliveries/${kept?.id}/dismiss`, { reason: 'a test' })).json).toMatchObject({
      dismissedBecause: 'a test',
    });
    expect(await list(`key=${key}&waits=true`)).toEqual([]);
    await send(wrong);
    expect(await list(`key=${key}&waits=true`)).toHaveLength(1);
  });

  it.each([
    ['GET', '/ops/deliveries?outcome=XX', 400],
    ['GET', '/ops/deliveries?patient=1', 400],
    ['GET', '/ops/deliveries?since=yesterday', 400],
    ['GET', '/ops/deliveries/nothing', 404],
    ['POST', '/ops/deliveries/nothing/replay', 404],
  ] as const)('%s %s is %i', async (method, path, status) => {
    expect((await baton.send(method, path)).status).toBe(status);
  });

  it('is paged', async () => {
    const first = (await baton.send('GET', '/ops/deliveries?limit=2')).json;
    const second = (await baton.send('GET', `/ops/deliveries?limit=2&after=${first.next}`)).json;
    const ids = [...(first.items as Kept[]), ...(second.items as Kept[])].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });
});

it('reads what a corrected message declares as Latin-1', async () => {
  const id = own();
  const wrong = latin1(edited(A01, { 'MSH-10': id, 'MSH-18': '', 'PID-3': `${id}^^^HARBOR^MR`, 'PID-5': 'Müller^Ä' }));
  expect((await send(wrong)).code).toBe('AE');
  const [kept] = await list(`key=${encodeURIComponent(`WARDADT|HARBOR|${id}`)}`);
  const seen = (await baton.send('GET', `/ops/deliveries/${kept?.id}`)).json;
  const body = edited(String(seen.body), { 'MSH-18': '8859/1', 'PV1-19': `${id}^^^HARBOR^VN` });
  expect((await post(`deliveries/${kept?.id}/replay`, { body })).json).toMatchObject({ outcome: 'AA' });
  expect((await baton.fhir('GET', `/Patient?identifier=${id}`)).text).toContain('Müller');
  expect(bytes(body).length).toBeGreaterThan(body.length);
});

it('lists and counts what is accepted and waits to be applied', async () => {
  await intake.receive(bytes(edited(A01, { 'MSH-4': 'STORED', 'MSH-10': own() })), 'mllp');
  expect(await list('outcome=CA')).toMatchObject([{ outcome: 'CA', facility: 'STORED' }]);
  expect((await baton.send('GET', '/metrics')).text).toMatch(/^baton_intake_backlog 1$/m);
});
