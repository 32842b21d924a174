// /hooks over HTTP: who may notify, in which forms, and that the secret is nowhere to be read.
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFailedAttempts } from '../../src/access/failed-attempts.ts';
import { NO_LABEL_POLICY } from '../../src/fhir/consent/label-policy.ts';
import { createSync } from '../../src/sync/sync.ts';
import { PARAMETERS, serve, type TestServer } from './serve.ts';

const SECRET = 'a-secret-of-the-hook-0123456789';
const SECRETS: Readonly<Record<string, string>> = { HOOK: SECRET, LAB: 'a-secret-of-the-laboratory-012' };
const WITH_SECRET = { 'x-baton-hook': SECRET };
const JSON_TYPE = { 'content-type': 'application/fhir+json' };
let baton: TestServer;
const lines: string[] = [];

beforeAll(async () => {
  // On purpose nowhere: what is accepted stays written.
  const connection = {
    name: 'ehr',
    baseUrl: 'http://127.0.0.1:9/fhir',
    vendor: 'generic',
    mode: 'pull',
    auth: { type: 'none' },
    types: { Task: 'pull', Patient: 'pull' },
    overlapSeconds: 300,
    pullEverySeconds: 60,
    hints: { secret: { env: 'HOOK' } },
  } as const;
  const others = [
    { ...connection, name: 'lab', hints: { secret: { env: 'LAB' } } },
    // A secret that is not set opens nothing, and neither does none.
    { ...connection, name: 'unset', hints: { secret: { env: 'UNSET' } } },
    { ...connection, name: 'closed', hints: {} },
  ];
  const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) });
  baton = await serve(({ store, clock }) => ({
    log,
    attempts: createFailedAttempts(clock),
    sync: createSync({
      ...{ store, clock, log, connections: [connection, ...others], baseUrl: 'http://b', fetch, policies: {} },
      consent: { parameters: PARAMETERS, labels: NO_LABEL_POLICY },
      readSecret: (secret) => ('env' in secret ? (SECRETS[secret.env] ?? '') : ''),
      wait: async () => undefined,
    }),
  }));
});
afterAll(() => baton.close());

const post = (path: string, headers: Record<string, string>, payload?: string) =>
  baton.send('POST', path, { as: '', headers, ...(payload === undefined ? {} : { body: payload }) });
const hints = async () => {
  const rows = await baton.temp.store.query('SELECT type, remote_id FROM hint ORDER BY type, remote_id');
  return rows.map(({ type, remote_id }) => `${type}/${remote_id}`);
};

describe('who may', () => {
  it('the remote that has the secret', async () => {
    expect(await post('/hooks/ehr/Task', WITH_SECRET)).toMatchObject({ status: 202, json: { accepted: 1 } });
    expect(await hints()).toEqual(['Task/']);
  });

  it('who has a token for intake, and no other', async () => {
    const answer = await baton.send('POST', '/hooks/ehr/Task', { as: await baton.token('baton/intake') });
    expect(answer.status).toBe(202);
    expect((await baton.send('POST', '/hooks/ehr', { as: await baton.token('baton/ops') })).status).toBe(403);
    expect((await baton.send('POST', '/hooks/ehr', { as: await baton.token('system/*.rs') })).status).toBe(403);
  });

  it('nobody else, and a name that does not exist is not told apart', async () => {
    const wrong = { 'x-baton-hook': `${SECRET}x` };
    for (const headers of [{}, wrong, { 'x-baton-hook': '' }, { 'x-baton-hook': 'x'.repeat(5_000) }]) {
      expect((await post('/hooks/ehr', headers)).status).toBe(401);
      expect((await post('/hooks/nobody', headers)).status).toBe(401);
    }
    expect((await post('/hooks/ehr', wrong)).text).toBe((await post('/hooks/nobody', wrong)).text);
    expect((await post('/hooks/nobody', WITH_SECRET)).status).toBe(401);
  });

  it('no other connection by its own secret', async () => {
    const withLab = { 'x-baton-hook': String(SECRETS.LAB) };
    expect((await post('/hooks/lab/Task', withLab)).status).toBe(202);
    for (const [name, headers] of [
      ['ehr', withLab],
      ['lab', WITH_SECRET],
      ['unset', WITH_SECRET],
      ['unset', { 'x-baton-hook': '' }],
      ['closed', WITH_SECRET],
      ['closed', { 'x-baton-hook': '' }],
      ['ehr', { 'x-baton-hook': `${SECRET},${SECRETS.LAB}` }],
    ] as const) {
      expect([name, (await post(`/hooks/${name}/Task`, headers)).status]).toEqual([name, 401]);
    }
    expect((await post('/hooks/lab%2F..%2Fehr/Task', withLab)).status).toBe(401);
    const rows = await baton.temp.store.query('SELECT DISTINCT connection FROM hint ORDER BY connection');
    expect(rows.map(({ connection }) => connection)).toEqual(['ehr', 'lab']);
  });

  it('the secret is in no log and no audit record', async () => {
    const kept = JSON.stringify([lines, await baton.temp.store.query('SELECT * FROM audit')]);
    expect(kept).not.toContain(SECRET);
    expect(kept).toContain('hint');
  });
});

describe('in which forms', () => {
  it.each([
    ['POST', '/hooks/ehr', { resourceType: 'Task', id: 'a' }, 'Task/a'],
    ['PUT', '/hooks/ehr/Task/b', undefined, 'Task/b'],
    ['PUT', '/hooks/ehr/Task/c', { resourceType: 'Task', id: 'c' }, 'Task/c'],
    ['DELETE', '/hooks/ehr/Task/d', undefined, 'Task/d'],
    ['POST', '/hooks/ehr/Task/Patient/e', undefined, 'Patient/e'],
  ] as const)('%s %s', async (method, path, body, expected) => {
    const payload = body && JSON.stringify(body);
    const headers = { ...WITH_SECRET, ...(payload ? JSON_TYPE : {}) };
    const answer = await baton.send(method, path, { as: '', headers, ...(payload ? { body: payload } : {}) });
    expect(answer.status).toBe(202);
    expect(await hints()).toContain(expected);
  });

  it.each(['application/json', 'application/fhir+json;charset=UTF-8', 'text/plain', 'x/y'])('%s', async (type) => {
    const payload = '{"resourceType":"Task","id":"t"}';
    expect((await post('/hooks/ehr', { ...WITH_SECRET, 'content-type': type }, payload)).json).toEqual({ accepted: 1 });
  });

  it('what is hostile in a body is only not understood', async () => {
    const send = (payload: string) => post('/hooks/ehr', { ...WITH_SECRET, ...JSON_TYPE }, payload);
    expect((await send('{"resourceType":"Ta')).status).toBe(400);
    expect((await send('{"resourceType":"Task","id":"z","__proto__":{"a":1}}')).status).toBe(202);
    expect(
      (await send(`{"resourceType":"Task","id":"deep","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)).status,
    ).toBe(202);
    expect((await send(`"${'x'.repeat(3_000_000)}"`)).status).toBe(413);
    expect((await send('{"resourceType":"Task","id":"../../x"}')).status).toBe(202);
    expect(JSON.stringify(await hints())).not.toContain('..');
  });

  it('reading it is not a way in', async () => {
    expect((await baton.send('GET', '/hooks/ehr', { as: '', headers: WITH_SECRET })).status).not.toBe(202);
  });
});
