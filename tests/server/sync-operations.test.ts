// What operators do to sync through /ops, against a remote that answers: conflicts, messages, replay, preview, outbox, streams.
// docs/sync-spec.md#I10 docs/sync-spec.md#I22

import { join } from 'node:path';
import type { AuditEvent, Task } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endsSoon } from '../../src/server/ops/ends-soon.ts';
import { readPolicies } from '../../src/sync/conflicts/policies.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import type { Preview } from '../../src/sync/messages/preview-verdict.ts';
import { createSync, type Sync } from '../../src/sync/sync.ts';
import { consent } from '../support/consents.ts';
import { type FakeRemote, startFakeRemote } from '../support/fake-remote.ts';
import { LABELS, PARAMETERS, serve, type TestServer } from './serve.ts';

let remote: FakeRemote;
let baton: TestServer;
let sync: Sync;
let options: Partial<Connection> = {};
const POLICIES = readPolicies(join(import.meta.dirname, '../../profiles/policies'));

beforeEach(async () => {
  remote = await startFakeRemote();
  baton = await open();
  await baton.fhir('PUT', '/Patient/p1', { body: { resourceType: 'Patient', id: 'p1', birthDate: '1950-02-01' } });
  await baton.fhir('PUT', '/Task/t1', { body: task('t1') });
  await sync.pushNow();
});
afterEach(async () => {
  options = {};
  await sync.stop();
  await baton.close();
  await remote.close();
});

function open(): Promise<TestServer> {
  const connection: Connection = {
    ...{ name: 'ehr', baseUrl: remote.baseUrl, vendor: 'generic', mode: 'both', auth: { type: 'none' } },
    ...{ types: { Patient: 'both', Task: 'both', Goal: 'push' }, overlapSeconds: 300, pullEverySeconds: 60 },
    ...options,
  } as Connection;
  return serve(({ store, clock }) => {
    sync = createSync({
      ...{ store, clock, log: pino({ level: 'silent' }), connections: [connection], baseUrl: 'https://baton.test' },
      ...{ fetch, policies: POLICIES, consent: { parameters: PARAMETERS, labels: LABELS } },
      ...{ workers: 1, random: () => 0, wait: async () => undefined },
    });
    return { sync };
  });
}

const task = (id: string, fields: object = {}) => ({
  ...{ resourceType: 'Task', id, status: 'requested', intent: 'order', for: { reference: 'Patient/p1' } },
  ...fields,
});
const there = () => remote.all('Task')[0] as Task & { id: string };
const here = async () => (await baton.fhir('GET', '/Task/t1')).json as unknown as Task;
const get = (path: string) => baton.send('GET', `/ops${path}`);
const post = (path: string, body: object = {}, headers: Record<string, string> = {}) =>
  baton.send('POST', `/ops${path}`, { body, headers: { 'content-type': 'application/json', ...headers } });
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
const items = (answer: { json: unknown }): any[] => (answer.json as { items: any[] }).items;
const rows = (sql: string) => baton.temp.store.query(sql);
const idOf = async (query: string): Promise<string> => String(items(await get(`/messages?${query}`))[0]?.id);

/** Both sides give the task another owner, and each changes something else, too. */
async function disagree(): Promise<string> {
  remote.put({ ...there(), owner: { display: 'Theirs' }, status: 'accepted' } as Task);
  await baton.fhir('PUT', '/Task/t1', { body: task('t1', { owner: { display: 'Ours' }, priority: 'urgent' }) });
  await sync.pullNow();
  return String(items(await get('/conflicts'))[0]?.id);
}

describe('conflicts', () => {
  it('are listed with filters and pages, and without bodies', async () => {
    const id = await disagree();
    const [row] = items(await get('/conflicts?connection=ehr&type=Task&kind=content&localId=t1'));
    expect(row).toMatchObject({ id, localId: 't1', state: 'open', elements: ['owner'] });
    expect(JSON.stringify(row)).not.toContain('Theirs');
    expect(items(await get('/conflicts?olderThan=P1D'))).toEqual([]);
    expect(items(await get('/conflicts?state=resolved'))).toEqual([]);
    expect(items(await get('/conflicts?limit=1&state=all'))).toHaveLength(1);
    for (const wrong of ['olderThan=long', 'state=closed', 'kind=contents', 'limit=501']) {
      expect((await get(`/conflicts?${wrong}`)).status).toBe(400);
    }
    remote.put({ ...there(), owner: { display: 'Theirs, later' } } as Task);
    await sync.pullNow();
    expect(items(await get('/conflicts?state=superseded')).map((one) => one.id)).toEqual([id]);
    expect(items(await get('/conflicts'))).toHaveLength(1);
  });

  it('show each differing element, who changed it, what decided and why a person must', async () => {
    const id = await disagree();
    const { json, headers, status } = await get(`/conflicts/${id}`);
    expect([status, String(headers.etag)]).toEqual([200, expect.stringMatching(/^W\/"[0-9a-f]{16}"$/)]);
    expect(json).toMatchObject({ base: { status: 'requested' }, local: { priority: 'urgent' }, state: 'open' });
    const elements = new Map((json.elements as { path: string }[]).map((one) => [one.path, one]));
    expect(elements.get('owner')).toMatchObject({
      ...{ ours: { display: 'Ours' }, theirs: { display: 'Theirs' }, changedBy: 'both' },
      decidedBy: { kind: 'policy', rule: 'owner', preference: 'review' },
      why: 'Both sides changed it, and the policy leaves owner to a person.',
    });
    expect(elements.get('priority')).toMatchObject({ changedBy: 'ours', decidedBy: { kind: 'only-change' } });
    expect(elements.get('status')).toMatchObject({ changedBy: 'theirs', proposed: 'accepted' });
    expect((await get('/conflicts/none')).status).toBe(404);
  });

  it('are decided on what was looked at: a change since then is 412, and the decision is for once', async () => {
    const id = await disagree();
    const seen = String((await get(`/conflicts/${id}`)).headers.etag);
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { owner: { display: 'Ours, later' } }) });
    const late = await post(`/conflicts/${id}/resolve`, { take: 'ours' }, { 'if-match': seen });
    expect(late.status).toBe(412);
    const now = String((await get(`/conflicts/${id}`)).headers.etag);
    expect((await post(`/conflicts/${id}/resolve`, { take: 'ours' }, { 'if-match': now })).status).toBe(200);
    expect((await post(`/conflicts/${id}/resolve`, { take: 'ours' }, { 'if-match': now })).status).toBe(409);
    await sync.pushNow();
    expect(there().owner).toEqual({ display: 'Ours, later' });
  });

  it('are shown with our copy as it is now, and the merge that is shown is the one that is taken', async () => {
    const id = await disagree();
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { owner: { display: 'Ours, later' }, intent: 'plan' }) });
    const { json, headers } = await get(`/conflicts/${id}`);
    expect(json).toMatchObject({ local: { intent: 'plan' }, proposed: { intent: 'plan', status: 'accepted' } });
    expect((await post(`/conflicts/${id}/resolve`, { take: 'proposed' })).status).toBe(412);
    const seen = { 'if-match': String(headers.etag) };
    expect((await post(`/conflicts/${id}/resolve`, { take: 'proposed' }, seen)).status).toBe(200);
    expect(await here()).toMatchObject({ owner: { display: 'Ours, later' }, intent: 'plan', status: 'accepted' });
  });

  it('can be decided for a try: what would be written here and sent there, and nothing is', async () => {
    const id = await disagree();
    const before = await baton.temp.store.head();
    const { json } = await post(`/conflicts/${id}/resolve`, { take: 'proposed', dryRun: true });
    expect(json).toMatchObject({
      here: { outcome: 'would-update', differences: [{ path: 'status', values: ['requested', 'accepted'] }] },
      there: { outcome: 'would-update', body: { owner: { display: 'Ours' }, priority: 'urgent', status: 'accepted' } },
    });
    const paths = (json.there as { differences: { path: string }[] }).differences.map(({ path }) => path);
    expect(paths.sort()).toEqual(['owner', 'priority']);
    expect(await baton.temp.store.head()).toEqual(before);
    expect(items(await get('/conflicts'))).toHaveLength(1);
    const theirs = await post(`/conflicts/${id}/resolve`, { take: 'theirs', dryRun: true });
    expect(theirs.json.there).toMatchObject({ outcome: 'unchanged' });
    await post(`/conflicts/${id}/resolve`, { take: 'proposed' });
    await sync.pushNow();
    expect(there()).toMatchObject({ owner: { display: 'Ours' }, priority: 'urgent', status: 'accepted' });
  });

  it('leave an audit record of the person and a Provenance of what was chosen', async () => {
    const id = await disagree();
    await post(`/conflicts/${id}/resolve`, { take: 'theirs' });
    const audited = await baton.audited();
    expect(
      audited.filter(({ interaction, actor }) => interaction === 'ops-resolve' && actor === 'tester'),
    ).toHaveLength(1);
    const { entry = [] } = (await baton.fhir('GET', '/AuditEvent?_sort=-date&_count=100')).json;
    const told = entry.map(({ resource }) => resource as unknown as AuditEvent);
    const event = told.find(({ subtype }) => subtype?.some(({ code }) => code === 'ops-resolve'));
    expect(event?.entity).toContainEqual(expect.objectContaining({ what: { identifier: { value: id } } }));
    const [provenance] = (await baton.fhir('GET', '/Provenance?target=Task/t1&_sort=-_lastUpdated')).json.entry ?? [];
    expect(provenance?.resource).toMatchObject({
      activity: { text: 'A conflict was decided by a person: theirs' },
      entity: [{ role: 'revision' }, { role: 'source', what: { reference: expect.stringContaining('/_history/2') } }],
    });
  });
});

describe('messages', () => {
  it('are found by what they are about and shown whole, without credentials', async () => {
    const [row] = items(await get('/messages?connection=ehr&direction=push&type=Task&localId=t1&class=success'));
    expect(row).toMatchObject({ outcome: 'created', method: 'POST', status: 201, class: 'success' });
    const { json } = await get(`/messages/${row.id}`);
    expect(json).toMatchObject({ headers: { request: { 'if-none-exist': expect.any(String) } }, replays: [] });
    expect(JSON.parse(String(json.response)).resourceType).toBe('Task');
    expect(json.responseBytes).toBe(Buffer.byteLength(String(json.response)));
    expect(items(await get(`/messages?url=/TASK&run=${row.run_id}&status=2xx`)).map(({ id }) => id)).toContain(row.id);
    expect(items(await get(`/messages?remoteId=${there().id}&until=2001-01-01T00:00:00Z`))).toEqual([]);
    for (const bad of ['status=9', 'since=yesterday', 'colour=red'])
      expect((await get(`/messages?${bad}`)).status).toBe(400);
    expect((await get('/messages/none')).status).toBe(404);
  });

  it('and other lists are filtered by the names that filters have, and by those that rows have', async () => {
    const ids = async (query: string) => items(await get(query)).map(({ id }) => id);
    const found = await ids('/messages?localId=t1&direction=push');
    expect(found).not.toEqual([]);
    expect(await ids('/messages?local_id=t1&direction=push')).toEqual(found);
    expect(await ids('/messages?local_id=none')).toEqual([]);
    const id = await disagree();
    expect(await ids('/conflicts?local_id=t1')).toEqual([id]);
    expect(await ids('/conflicts?local_id=none')).toEqual([]);
    expect((await get('/projections?sourceType=Task')).status).toBe(200);
    for (const wrong of ['/messages?local_id=t1&localId=t1', '/messages?local-id=t1', '/conflicts?LocalId=t1'])
      expect((await get(wrong)).status).toBe(400);
    const filter = { local_id: 't1', direction: 'push' };
    expect((await post('/replay', { filter, dryRun: true })).status).toBe(200);
  });

  it('with a body that is too large are cut, and say so', async () => {
    remote.put({ ...there(), description: 'x'.repeat(1_200_000) } as Task);
    await sync.pullNow();
    const id = await idOf('direction=pull&type=Task&outcome=applied');
    const { json } = await get(`/messages/${id}`);
    expect(String(json.response)).toHaveLength(1024 * 1024);
    expect(Number(json.responseBytes)).toBeGreaterThan(1_200_000);
  });
});

describe('replay', () => {
  it('of a push looks, sends what is missing there, and names what it repeats; twice is once', async () => {
    const id = await idOf('direction=push&type=Task&outcome=created');
    const first = await post(`/messages/${id}/replay`);
    expect(first.json).toMatchObject({ message: id, about: 'Task/t1', outcome: 'unchanged' });
    // The remote lost what it had confirmed.
    const { priority: _none, ...lost } = { ...there(), priority: undefined, intent: 'plan' };
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { priority: 'stat' }) });
    await sync.pushNow();
    remote.put({ ...lost, intent: 'order' } as Task);
    const writes = remote.writes().length;
    const again = await post(`/messages/${await idOf('direction=push&type=Task&outcome=updated')}/replay`);
    expect(again.json.outcome).not.toBe('queued');
    expect(remote.writes().length - writes).toBeLessThanOrEqual(1);
    const whole = await get(`/messages/${id}`);
    expect((whole.json.replays as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual([
      'unchanged',
      'unchanged',
    ]);
    expect(await rows("SELECT id FROM outbox WHERE replay_of IS NOT NULL AND state = 'queued'")).toEqual([]);
  });

  it('of a refused push sends the resource once the reason is gone', async () => {
    remote.knobs.refusals.push({ status: 422 });
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { priority: 'stat' }) });
    await sync.pushNow();
    expect(items(await get('/outbox?state=rejected'))).toHaveLength(1);
    const id = await idOf('class=permanent&localId=t1');
    const { json } = await post(`/messages/${id}/replay`);
    expect(json).toMatchObject({ outcome: 'updated', direction: 'push' });
    expect(there().priority).toBe('stat');
    expect((await get(`/messages/${(json.messages as string[])[0]}`)).json.replayOf).toBe(id);
    expect((await post(`/messages/${id}/replay`)).json.outcome).toBe('unchanged');
    expect(remote.writes().filter((write) => write.startsWith('PUT'))).toHaveLength(1);
  });

  it('of a quarantined resource takes it in when it has become valid, or its kept body', async () => {
    const patient = { reference: `Patient/${remote.all('Patient')[0]?.id}` };
    const broken = remote.put({
      resourceType: 'Task',
      status: 'nonsense',
      intent: 'order',
      for: patient,
    } as unknown as Task);
    await sync.pullNow();
    const id = await idOf(`outcome=quarantined&remoteId=${broken.id}`);
    expect((await post(`/messages/${id}/replay`, { from: 'stored' })).json.outcome).toBe('quarantined');
    remote.put({ ...broken, status: 'requested' } as Task);
    const would = await post(`/messages/${id}/replay`, { dryRun: true });
    expect(would.json).toMatchObject({ outcome: 'would-create' });
    expect((would.json.differences as { path: string }[]).map(({ path }) => path)).toContain('status');
    const count = async () => (await baton.fhir('GET', '/Task?_summary=count')).json.total;
    expect(await count()).toBe(1);
    expect((await post(`/messages/${id}/replay`)).json.outcome).toBe('created');
    expect(await count()).toBe(2);
    expect((await post(`/messages/${id}/replay`)).json.outcome).toBe('echo');
    expect((await post(`/messages/${id}/replay`, { from: 'stored' })).json.outcome).toBe('outdated');
    expect(await count()).toBe(2);
  });

  it('by filter does each resource once, oldest first; a dry run writes nothing but messages', async () => {
    for (const id of ['t2', 't3']) await baton.fhir('PUT', `/Task/${id}`, { body: task(id) });
    remote.knobs.refusals.push({ status: 422 }, { status: 422 });
    await sync.pushNow();
    const tables = 'SELECT id, state, attempts FROM outbox ORDER BY id';
    const before = await rows(tables);
    const filter = { class: 'permanent', direction: 'push' };
    const would = await post('/replay', { filter, dryRun: true });
    const outcomes = (json: object) =>
      (json as { results: { outcome: string }[] }).results.map(({ outcome }) => outcome);
    expect(outcomes(would.json)).toEqual(['would-create', 'would-create']);
    expect(await rows(tables)).toEqual(before);
    expect(items(await get('/messages?outcome=would-create'))).toHaveLength(2);
    expect(outcomes((await post('/replay', { filter, limit: 1 })).json)).toEqual(['created']);
    expect(outcomes((await post('/replay', { filter })).json).sort()).toEqual(['created', 'unchanged']);
    expect(remote.all('Task')).toHaveLength(3);
    expect((await post('/replay', { filter: {} })).status).toBe(400);
    expect((await post('/replay', { filter: { colour: 'red' } })).status).toBe(400);
  });

  it('by filter goes on past what belongs to a connection that is no more', async () => {
    remote.knobs.refusals.push({ status: 422 });
    await baton.fhir('PUT', '/Task/t2', { body: task('t2') });
    await sync.pushNow();
    await sql(`INSERT INTO message (id, connection, run_id, direction, type, local_id, outcome, class, at)
      VALUES ('orphan', 'no-more', 'r', 'push', 'Task', 't1', 'permanent', 'permanent', 1)`);
    const { status, json } = await post('/replay', { filter: { class: 'permanent' } });
    expect(status).toBe(200);
    const results = (json as { results: { connection: string; outcome: string }[] }).results;
    expect(results.map(({ connection, outcome }) => [connection, outcome]).sort()).toEqual([
      ['ehr', 'created'],
      ['no-more', 'off'],
    ]);
  });

  it('is refused for what is in progress, disputed, about no resource, or on a connection that is off', async () => {
    const id = await idOf('direction=push&type=Task&outcome=created');
    const capability = await idOf('outcome=capability');
    expect((await post(`/messages/${capability}/replay`)).json.outcome).toBe('not-replayable');
    await disagree();
    expect((await post(`/messages/${id}/replay`)).json.outcome).toBe('in-conflict');
    await sql("UPDATE conflict SET state = 'superseded'");
    const until = baton.temp.clock.real().epochMilliseconds + 60_000;
    await sql(`INSERT INTO outbox (id, connection, type, local_id, upto_sequence, state, attempts, next_at, lease_until, at)
      VALUES ('busy', 'ehr', 'Task', 't1', 99, 'sending', 0, 0, ${until}, 1)`);
    expect((await post(`/messages/${id}/replay`)).json.outcome).toBe('in-progress');
    expect((await post('/outbox/busy/retry')).status).toBe(409);
    expect((await post('/outbox/busy/reject')).status).toBe(409);
  });

  it.each([
    ['/replay', { filter: { type: 'Task' }, dryrun: true }, 'dryrun'],
    ['/replay', { filter: { class: 'nope' } }, 'class'],
    ['/messages/x/replay', { dry_run: true }, 'dry_run'],
    ['/conflicts/x/resolve', { take: 'ours', dryrun: true }, 'dryrun'],
    ['/streams/x/rewind', { form: null, to: null }, 'form'],
  ])('of a word that is not known nothing comes to pass: %s %j', async (path, body, expression) => {
    const answer = await post(path, body);
    expect([answer.status, answer.json.issue?.[0]?.expression]).toEqual([400, [expression]]);
  });

  it('a filter is said once', async () => {
    const { status, json } = await baton.send('GET', '/ops/messages?type=Task&type=Goal');
    expect([status, json.issue?.[0]?.expression]).toEqual([400, ['type']]);
  });

  it('needs the scope of operators and is audited', async () => {
    const id = await idOf('direction=push&type=Task&outcome=created');
    const as = await baton.token('system/*.rs');
    for (const path of [`/ops/messages/${id}/replay`, '/ops/replay', '/ops/outbox/x/retry']) {
      expect((await baton.send('POST', path, { as })).status).toBe(403);
    }
    for (const path of ['/ops/preview', `/ops/messages/${id}`])
      expect((await baton.send('GET', path, { as })).status).toBe(403);
    await post(`/messages/${id}/replay`);
    const audited = (await baton.audited()).filter(({ interaction }) => interaction === 'ops-replay');
    expect(audited.at(-1)).toMatchObject({ actor: 'tester', status: 200, id });
  });
});

async function sql(text: string): Promise<void> {
  await baton.temp.store.commit({ reference: 'test', kind: 'service' }, [], [{ sql: text, params: [] }]);
}

describe('outbox entries', () => {
  it('are retried with their attempts forgotten, and given up until the resource changes', async () => {
    remote.knobs.refusals.push({ status: 422 });
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { priority: 'stat' }) });
    await sync.pushNow();
    const [row] = items(await get('/outbox?state=rejected'));
    expect((await post(`/outbox/${row.id}/retry`)).json).toMatchObject({ state: 'queued', localId: 't1' });
    expect((await post(`/outbox/${row.id}/retry`)).json.state).toBe('queued');
    expect((await post(`/outbox/${row.id}/reject`, { reason: 'not wanted there' })).json.state).toBe('rejected');
    await sync.pushNow();
    expect(there().priority).toBeUndefined();
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { priority: 'asap' }) });
    await sync.pushNow();
    expect(there().priority).toBe('asap');
    expect((await post(`/outbox/${row.id}/retry`)).status).toBe(409);
    expect((await post('/outbox/none/retry')).status).toBe(404);
  });
});

describe('streams', () => {
  it('go back, never forward, and reading again changes nothing', async () => {
    await sync.pullNow();
    const stream = items(await get('/streams?connection=ehr&type=Task'))[0];
    const rewind = (to: unknown) => post(`/streams/${stream.stream_key}/rewind`, { to });
    expect((await rewind('2100-01-01T00:00:00Z')).status).toBe(422);
    expect((await rewind('soon')).status).toBe(400);
    expect((await post('/streams/none/rewind', { to: null })).status).toBe(404);
    expect((await rewind('2026-01-01T00:00:00Z')).json.highWater).toBe('2026-01-01T00:00:00Z');
    const before = await here();
    await sync.pullNow();
    expect(await here()).toEqual(before);
    expect(remote.requests.at(-1)?.url).toContain('2025-12-31');
    expect((await rewind(null)).json.highWater).toBeNull();
  });
});

describe('a sweep by hand', () => {
  it('finds what is missing there, on the connection that is named', async () => {
    await sync.pullNow();
    const before = remote.requests.length;
    expect((await post('/sync-sweep', { connection: 'ehr' })).json).toMatchObject({ name: 'ehr', finished: true });
    // One that takes hours is not waited for.
    expect(await endsSoon(new Promise(() => undefined), 1)).toBe(false);
    expect(remote.requests.slice(before).map(({ url }) => url)).toContainEqual(expect.stringMatching(/^\/Task\?/));
    expect((await post('/sync-sweep', { connection: 'ehr', lost: true })).json).toMatchObject({ finished: true });
    expect((await post('/sync-sweep', { connection: 'ehr', lost: 'yes' })).status).toBe(400);
    expect((await post('/sync-sweep')).status).toBe(400);
    expect((await post('/sync-sweep', { connection: 'none' })).status).toBe(404);
    const as = await baton.token('system/*.rs');
    expect((await baton.send('POST', '/ops/sync-sweep', { as })).status).toBe(403);
    const audited = (await baton.audited()).filter(({ interaction }) => interaction === 'ops-sync-sweep');
    expect(audited.map(({ status }) => status)).toContain(200);
  });
});

describe('preview', () => {
  const preview = (ref: string) => get(`/preview?connection=ehr&ref=${ref}`);

  it('shows the body, the difference to what is there now, and which policy decides each element', async () => {
    expect((await preview('Task/t1')).json).toMatchObject({ outcome: 'unchanged', comparedWith: 'remote' });
    await baton.fhir('PUT', '/Task/t9', { body: task('t9') });
    expect((await preview('Task/t9')).json).toMatchObject({ outcome: 'would-create', body: { status: 'requested' } });
    remote.put({ ...there(), priority: 'stat', status: 'accepted' } as Task);
    await baton.fhir('PUT', '/Task/t1', { body: task('t1', { priority: 'urgent' }) });
    const writes = remote.writes().length;
    const { json } = await preview('Task/t1');
    expect(json).toMatchObject({
      outcome: 'would-update',
      body: { id: there().id, priority: 'urgent', status: 'accepted' },
      differences: [{ path: 'priority', values: ['stat', 'urgent'] }],
    });
    expect((json.elements as { path: string }[]).find(({ path }) => path === 'priority')).toMatchObject({
      changedBy: 'both',
      decidedBy: { kind: 'policy', rule: 'priority', preference: 'ours' },
    });
    expect(remote.writes()).toHaveLength(writes);
    expect(items(await get('/messages?outcome=preview'))).not.toHaveLength(0);
    await disagree();
    expect((await preview('Task/t1')).json.outcome).toBe('would-conflict');
    expect((await preview('Task/none')).status).toBe(404);
    expect((await preview('nonsense')).status).toBe(400);
    expect((await get('/preview?connection=none&ref=Task/t1')).status).toBe(404);
  });

  it('says of our identifier, which the push adds, why it is added', async () => {
    for (const identifier of [undefined, [{ system: 'urn:theirs', value: '7' }]]) {
      const { id } = remote.put({ ...task('x'), id: undefined, for: there().for, identifier } as never);
      await sync.pullNow();
      const [link] = await rows(`SELECT local_id FROM identity WHERE remote_id = '${id}'`);
      const local = String(link?.local_id);
      const { json } = await baton.fhir('GET', `/Task/${local}`);
      await baton.fhir('PUT', `/Task/${local}`, { body: { ...json, priority: 'urgent' } });
      const shown = (await preview(`Task/${local}`)).json as unknown as Preview;
      const own = { system: 'https://baton.test/id', value: local };
      const added = shown.differences.find(({ element }) => element === 'identifier');
      expect(added?.values).toEqual([null, own]);
      expect(shown.elements).toContainEqual({
        ...{ path: added?.path, ours: own, proposed: own, changedBy: 'ours' },
        decidedBy: { kind: 'own-identifier' },
      });
      expect(shown.elements.map(({ path }) => path).sort()).toEqual(shown.differences.map(({ path }) => path).sort());
    }
    expect((await preview('Task/t1')).json.elements).toEqual([]);
  });

  it('says that a consent keeps it here, and nothing of it', async () => {
    await baton.fhir('PUT', '/Consent/c1', { body: consent('OPTOUT') });
    const { json, text } = await preview('Task/t1');
    expect(json).toMatchObject({ outcome: 'withheld', differences: [], elements: [] });
    expect(text).not.toContain('requested');
  });
});
