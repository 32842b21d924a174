// /ops and the numbers of /metrics over the real sync: lists, paging, a conflict decided by a person, commands.
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCalendars } from '../../src/care/business-calendar.ts';
import { loadProfiles } from '../../src/care/profiles.ts';
import { loadRiskMethods } from '../../src/care/transition/risk-method.ts';
import { NO_LABEL_POLICY } from '../../src/fhir/consent/label-policy.ts';
import { parseSearchUrl } from '../../src/fhir/search/parse.ts';
import type { Statement } from '../../src/store/store.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import { createSync } from '../../src/sync/sync.ts';
import { createTransitions } from '../../src/transitions/transitions.ts';
import { FHIR, type Method, PARAMETERS, serve, type TestServer } from './serve.ts';

let baton: TestServer;
const JSON_TYPE = { 'content-type': 'application/json' };
const PROFILES = join(import.meta.dirname, '../../profiles');
const policies = readPolicies(join(PROFILES, 'policies'));
const artifacts = loadProfiles(PROFILES);

beforeAll(async () => {
  const connection = {
    name: 'hapi',
    baseUrl: 'http://127.0.0.1:9/fhir',
    vendor: 'hapi',
    mode: 'off',
    auth: { type: 'none' },
    types: { Task: 'both' },
    overlapSeconds: 300,
    pullEverySeconds: 60,
  } as const;
  const log = pino({ level: 'silent' });
  baton = await serve(({ store, clock }) => ({
    transitions: createTransitions({
      store,
      clock,
      log,
      facilities: [],
      calendars: loadCalendars(join(PROFILES, 'calendars')),
      riskMethods: loadRiskMethods(join(PROFILES, 'risk-methods')),
      artifacts,
      parse: (query) => parseSearchUrl(PARAMETERS, query, { handling: 'strict', baseUrl: FHIR }),
    }),
    sync: createSync({
      ...{ store, clock, log, connections: [connection], baseUrl: 'http://b', fetch, policies },
      consent: { parameters: PARAMETERS, labels: NO_LABEL_POLICY },
    }),
  }));
  const outbox = (id: string, state: string): Statement => ({
    sql: `INSERT INTO outbox (id, connection, type, local_id, upto_sequence, state, attempts, next_at, at)
      VALUES (?, 'hapi', 'Task', ?, 1, ?, 0, 0, 1000)`,
    params: [id, id, state],
  });
  const conflict: Statement = {
    sql: `INSERT INTO conflict (id, connection, type, local_id, remote_id, kind, local, local_version, remote, proposed, paths,
      state, at) VALUES ('c1', 'hapi', 'Task', 't1', 'r1', 'content', ?, '1', ?, ?, '[]', 'open', 1)`,
    params: ['requested', 'completed', 'in-progress'].map((status) => JSON.stringify(task(status))),
  };
  await baton.fhir('PUT', '/Task/t1', { body: { ...task('requested'), id: 't1' } });
  const rows = ['a', 'b', 'c', 'd', 'e'].map((id) => outbox(id, 'parked'));
  await baton.temp.store.commit({ reference: 'test', kind: 'service' }, [], [...rows, outbox('f', 'sent'), conflict]);
});

afterAll(() => baton.close());

const task = (status: string) => ({
  resourceType: 'Task',
  identifier: [{ system: 'urn:baton:follow-up', value: 'e|s|1' }],
  status,
  intent: 'order',
  restriction: { period: { start: '2026-11-24T09:00:00-05:00', end: '2026-11-25T17:00:00-05:00' } },
});
const get = (path: string) => baton.send('GET', `/ops${path}`);
const post = (path: string, body: object = {}) => baton.send('POST', `/ops${path}`, { body, headers: JSON_TYPE });

describe('lists', () => {
  it('show connections and follow-ups', async () => {
    const connections = await get('/connections');
    expect(connections.json.items).toMatchObject([
      { name: 'hapi', mode: 'off', openConflicts: 1, outbox: { parked: 5 } },
    ]);
    const followUps = await get('/follow-ups?status=requested');
    expect(followUps.json.items).toMatchObject([{ task: 'Task/t1', due: '2026-11-25T17:00:00-05:00' }]);
    expect((await get('/follow-ups?status=completed')).json.items).toEqual([]);
  });

  it('are paged without loss and filtered', async () => {
    const seen: string[] = [];
    let after = '';
    do {
      const { json } = await get(`/outbox?limit=2&state=parked${after && `&after=${after}`}`);
      seen.push(...(json.items as { id: string }[]).map(({ id }) => id));
      after = String(json.next ?? '');
    } while (after);
    expect(seen).toEqual(['e', 'd', 'c', 'b', 'a']);
    expect((await get('/outbox?state=sent')).json.items).toMatchObject([{ id: 'f', at: '1970-01-01T00:00:01Z' }]);
  });

  it.each(['/messages', '/projections', '/audit', '/conflicts'])('%s answers', async (path) => {
    const { status, json } = await get(path);
    expect([status, Array.isArray(json.items)]).toEqual([200, true]);
  });

  it.each([
    '/outbox?limit=0',
    '/outbox?limit=501',
    '/outbox?state=lost',
    '/outbox?limit=x',
    '/outbox?after=x',
    '/outbox?nonsense=1',
    '/audit?hash=x',
  ])('%s is 400', async (path) => {
    expect((await get(path)).status).toBe(400);
  });
});

describe('commands', () => {
  it('let a person decide a conflict, once', async () => {
    expect((await post('/conflicts/c1/resolve', { take: 'coin' })).status).toBe(400);
    expect((await post('/conflicts/c2/resolve', { take: 'ours' })).status).toBe(404);
    const done = await post('/conflicts/c1/resolve', { take: 'theirs' });
    expect([done.status, done.json.state]).toEqual([200, 'resolved']);
    expect((await baton.fhir('GET', '/Task/t1')).json.status).toBe('completed');
    expect((await post('/conflicts/c1/resolve', { take: 'theirs' })).status).toBe(409);
    const [change] = (await baton.audited())
      .filter(({ id, interaction }) => id === 't1' && interaction === 'update')
      .slice(-1);
    expect(change?.actor).toBe('tester');
  });

  it('sweep, pull, push and verify the audit trail', async () => {
    expect((await post('/sweep')).json).toMatchObject({ raised: 0, escalated: 0, failed: 0 });
    expect((await post('/connections/hapi/pull')).json.name).toBe('hapi');
    expect((await post('/connections/hapi/push')).status).toBe(200);
    expect((await post('/connections/none/pull')).status).toBe(404);
    expect((await post('/audit/verify')).json.brokenAt).toBeUndefined();
  });

  it('need their scope and are audited, also when refused', async () => {
    const as = await baton.token('system/*.rs baton/metrics');
    expect((await baton.send('POST', '/ops/sweep', { as })).status).toBe(403);
    expect((await baton.send('GET', '/ops/outbox', { as })).status).toBe(403);
    expect((await post('/sweep')).status).toBe(200);
    const rows = (await baton.audited()).filter(({ interaction }) => interaction === 'ops-sweep');
    expect(rows.map(({ status, action }) => [status, action]).slice(-2)).toEqual([
      [403, 'E'],
      [200, 'E'],
    ]);
  });

  it('are for nobody without baton/ops, by whatever route and method', async () => {
    const routes = routesUnder('/ops/');
    expect(routes.length).toBeGreaterThan(30);
    const scopes = ['system/*.rs baton/metrics baton/intake', 'system/*.cud', 'user/*.cruds', 'baton/opsx'];
    const before = await baton.temp.store.head();
    for (const scope of scopes) {
      const as = await baton.token(scope);
      for (const { method, url } of routes) {
        const answer = await baton.send(method, url, {
          as,
          ...(method === 'GET' ? {} : { body: {}, headers: JSON_TYPE }),
        });
        expect([method, url, answer.status]).toEqual([method, url, 403]);
      }
    }
    for (const { method, url } of routes) expect((await baton.send(method, url, { as: '' })).status).toBe(401);
    expect(await baton.temp.store.head()).toBe(before);
  });

  it('are not there without the part they are about', async () => {
    const bare = await serve();
    for (const path of ['/ops/outbox', '/ops/connections']) expect((await bare.send('GET', path)).status).toBe(404);
    expect((await bare.send('POST', '/ops/sweep')).status).toBe(404);
    await bare.close();
  });
});

/** From the tree that fastify prints, with something for every parameter. */
function routesUnder(prefix: string): { method: Method; url: string }[] {
  const lines = baton.server.printRoutes({ commonPrefix: false }).split('\n');
  const found: { method: Method; url: string }[] = [];
  const path: string[] = [];
  for (const line of lines) {
    const [, indent = '', part = '', methods] = /^([│ ]*)[├└]── (\S+)(?: \((.*)\))?/.exec(line) ?? [];
    path.length = indent.length / 4;
    path.push(part);
    const url = path.join('').replaceAll(/:[A-Za-z]+/g, 'x1');
    for (const method of methods?.split(', ') ?? []) {
      if (url.startsWith(prefix) && method !== 'HEAD') found.push({ method: method as Method, url });
    }
  }
  return found;
}

it('the numbers are in /metrics', async () => {
  const { text } = await baton.send('GET', '/metrics');
  expect(text).toContain('baton_outbox_entries{connection="hapi",state="parked"} 5');
  expect(text).toContain('baton_sync_conflicts{connection="hapi"} 0');
  expect(text).toContain('baton_follow_ups{status="completed"} 1');
});
