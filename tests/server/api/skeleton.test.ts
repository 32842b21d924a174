// What every route of /api/v1 does alike, shown on cases: keys, tags, problems, scopes, audit, documentation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetCommands } from '../../../src/server/api/idempotency.ts';
import { type ApiServer, serveApi } from './api-client.ts';

let baton: ApiServer;

beforeAll(async () => {
  baton = await serveApi();
  const people = ['ann', 'bea', 'cleo', 'dot', 'eve', 'fay'];
  await baton.put(
    { resourceType: 'Practitioner', id: 'nurse', name: [{ family: 'Nurse' }] },
    ...people.map((id) => ({ resourceType: 'Patient', id, name: [{ given: [id], family: 'Example' }] })),
  );
});

afterAll(() => baton.close());

interface Operation {
  readonly requestBody?: {
    readonly content: Record<string, { example?: object; examples?: Record<string, { value: object }> }>;
  };
}

const caseFor = (id: string) => ({ patient: { reference: `Patient/${id}` }, programme: { text: 'Heart failure' } });

describe('a command', () => {
  it('is carried out and answers with what it made and where that is', async () => {
    const answer = await baton.api('POST', '/cases', { body: caseFor('ann') });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toMatchObject({ version: '1', status: 'active', patient: { display: 'ann Example' } });
    expect(answer.headers.location).toBe(`/api/v1/cases/${answer.json.id}`);
    const read = await baton.send('GET', String(answer.headers.location));
    expect(read.json).toEqual(answer.json);
    expect(read.headers.etag).toBe(answer.headers.etag);
  });

  it('sent again with its key gives the same answer and does nothing again', async () => {
    const first = await baton.api('POST', '/cases', { body: caseFor('bea'), key: 'k1' });
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    const before = await baton.temp.store.head();
    const again = await baton.api('POST', '/cases', { body: caseFor('bea'), key: 'k1' });
    expect([again.status, again.text, again.headers.etag]).toEqual([201, first.text, first.headers.etag]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await baton.temp.store.head()).toBe(before);
  });

  it('sent twice at the same time is carried out once', async () => {
    const send = () => baton.api('POST', '/cases', { body: caseFor('cleo'), key: 'k2' });
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
    const found = await baton.fhir('GET', '/EpisodeOfCare?patient=cleo');
    expect(found.json.entry).toHaveLength(1);
  });

  it('that comes with the key of another is refused', async () => {
    const answer = await baton.api('POST', '/cases', { body: caseFor('dot'), key: 'k1' });
    expect(answer.status).toBe(422);
    expect(answer.json.errors).toMatchObject([{ member: 'Idempotency-Key' }]);
  });

  it('with the key of somebody else is a new one', async () => {
    const as = await baton.access.issue({ clientId: 'other', scope: 'system/*.cruds', lifetimeSeconds: 300 });
    const answer = await baton.api('POST', '/cases', { body: caseFor('dot'), key: 'k1', as });
    expect(answer.status, answer.text).toBe(201);
  });

  it.each(['', 'a b', 'ü'])('needs a key, and %j is none', async (key) => {
    const headers: Record<string, string> = key === '' ? {} : { 'idempotency-key': key };
    const answer = await baton.api('POST', '/cases', { body: caseFor('eve'), key: '', headers });
    expect(answer.status).toBe(400);
    expect(answer.json.detail).toContain('Idempotency-Key');
  });

  it('needs a key whatever it is: every operation that is no GET', async () => {
    const { json } = await baton.send('GET', '/api/v1/openapi.json', { as: '' });
    const without: string[] = [];
    let commands = 0;
    for (const [path, ways] of Object.entries(json.paths as unknown as Record<string, Record<string, Operation>>)) {
      for (const [method, operation] of Object.entries(ways)) {
        if (method === 'get') continue;
        commands += 1;
        const [sample] = Object.values(operation.requestBody?.content ?? {});
        const answer = await baton.api(method.toUpperCase() as 'POST', path.replace(/\{\w+\}/g, 'x'), {
          key: '',
          body: sample?.example ?? Object.values(sample?.examples ?? {})[0]?.value ?? {},
        });
        const [error] = (answer.json.errors ?? []) as { member?: string }[];
        if (answer.status !== 400 || error?.member !== 'Idempotency-Key')
          without.push(`${method} ${path}: ${answer.text}`);
      }
    }
    expect(without).toEqual([]);
    expect(commands).toBeGreaterThan(80);
  });

  it('that failed may be sent again with its key', async () => {
    expect((await baton.api('POST', '/cases', { body: caseFor('nobody'), key: 'k3' })).status).toBe(422);
    expect((await baton.api('POST', '/cases', { body: caseFor('nobody'), key: 'k3' })).status).toBe(422);
    expect((await baton.api('POST', '/cases', { body: caseFor('fay'), key: 'k3' })).status).toBe(201);
  });
});

describe('a view', () => {
  it('is not sent again to who has it', async () => {
    const { items } = (await baton.api('GET', '/cases?patient=Patient/ann')).json as { items: { id: string }[] };
    const path = `/cases/${items[0]?.id}`;
    const { headers } = await baton.api('GET', path);
    expect(headers.etag).toMatch(/^W\/"1-[0-9a-f]{8}"$/);
    const known = await baton.api('GET', path, { headers: { 'if-none-match': String(headers.etag) } });
    expect([known.status, known.text]).toEqual([304, '']);
    await baton.put({ resourceType: 'Patient', id: 'ann', name: [{ family: 'Changed' }] });
    const changed = await baton.api('GET', path, { headers: { 'if-none-match': String(headers.etag) } });
    expect([changed.status, changed.json.version]).toEqual([200, '1']);
  });

  it('is paged by cursor', async () => {
    const seen: string[] = [];
    let after: string | undefined = '';
    while (after !== undefined) {
      const query: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
      const page = (await baton.api('GET', `/cases?limit=2${query}`)).json as {
        items: { id: string }[];
        next?: string;
      };
      seen.push(...page.items.map(({ id }) => id));
      after = page.next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(4);
  });
});

describe('a problem', () => {
  it.each([
    ['an unknown member', { ...caseFor('eve'), colour: 'red' }, 'colour'],
    ['a missing member', {}, 'patient'],
    ['a wrong type', { ...caseFor('eve'), title: 7 }, 'title'],
    ['a text where a list belongs', { ...caseFor('eve'), reasons: 'x' }, 'reasons'],
    [
      'a member of a member',
      { ...caseFor('eve'), team: [{ member: { reference: 'Nurse 7' }, role: { text: 'x' } }] },
      'team[0].member.reference',
    ],
    ['something missing in a list', { ...caseFor('eve'), reasons: [{ text: 'a' }, {}] }, 'reasons[1]'],
    ['a code that is not listed', { ...caseFor('eve'), priority: 'soon' }, 'priority'],
    ['a body that is no object', [], undefined],
  ])('names %s', async (_, body, member) => {
    const answer = await baton.api('POST', '/cases', { body });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect((answer.json.errors as { member?: string }[])[0]?.member).toBe(member);
    expect(answer.json).toMatchObject({
      type: 'urn:baton:problem:invalid',
      status: 400,
      instance: `urn:baton:request:${answer.headers['x-request-id']}`,
      outcome: { resourceType: 'OperationOutcome', issue: [member === undefined ? {} : { expression: [member] }] },
    });
  });

  it.each([
    ['GET', '/nothing', {}, 404],
    ['GET', '/cases/nobody', {}, 404],
    ['GET', '/cases/a%20b', {}, 404],
    ['GET', '/cases?colour=red', {}, 400],
    ['GET', '/cases?limit=many', {}, 400],
    ['GET', '/cases/%zz', {}, 400],
    ['PUT', '/cases', {}, 405],
    ['GET', '/cases', { as: '' }, 401],
    ['GET', '/cases', { as: 'a.b.c' }, 401],
    ['POST', '/cases', { body: '{', key: 'x' }, 400],
    ['POST', '/cases', { body: '{"a":1,"a":2}', key: 'x' }, 400],
    ['POST', '/cases', { body: '{}', key: 'x', headers: { 'content-type': 'text/plain' } }, 415],
    ['GET', '/cases', { headers: { accept: 'text/csv' } }, 406],
  ] as const)('%s %s %j is one of its kind', async (method, path, more, status) => {
    const answer = await baton.api(method, path, more);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json).toMatchObject({ status, outcome: { resourceType: 'OperationOutcome' } });
    if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD, POST');
  });
});

describe('what is malformed', () => {
  it.each([
    [
      'POST',
      '/cases',
      { body: '{"patient":{"reference":"Patient/bea"},"reasons":[{"text":"a\\ud800"}]}' },
      'reasons[0].text',
    ],
    ['POST', '/cases', { body: '{"title":"a\\u0007"}' }, 'title'],
    ['GET', '/cases?after=nowhere', {}, 'after'],
    ['GET', '/worklist?after=0~nowhere', {}, 'after'],
    ['PATCH', '/cases/nobody', { body: { priority: 'stat' }, headers: { 'if-match': 'soon' } }, 'If-Match'],
  ] as const)('is named: %s %s %j', async (method, path, more, member) => {
    const answer = await baton.api(method, path, more);
    const errors = answer.json.errors as { member?: string }[];
    expect([answer.status, errors[0]?.member], answer.text).toEqual([400, member]);
  });
});

describe('scopes', () => {
  it('of the resource types decide', async () => {
    const other = await baton.token('system/Task.rs');
    const refused = await baton.api('GET', '/cases', { as: other });
    expect([refused.status, refused.json.type]).toEqual([403, 'urn:baton:problem:forbidden']);
    expect(refused.headers['www-authenticate']).toContain('system/EpisodeOfCare.r');
    const reading = await baton.token('system/EpisodeOfCare.rs system/Patient.rs');
    const body = caseFor('eve');
    expect((await baton.api('POST', '/cases', { as: reading, body })).status).toBe(403);
  });

  it('narrow what is found, and nothing is told of the rest', async () => {
    const as = await baton.token('patient/EpisodeOfCare.rs', 'bea');
    const { items } = (await baton.api('GET', '/cases', { as })).json as {
      items: { patient: object; plan?: object }[];
    };
    expect(items.map(({ patient }) => patient)).toEqual([{ reference: 'Patient/bea' }]);
    expect(items[0]?.plan).toBeUndefined();
    const all = (await baton.api('GET', '/cases')).json as { items: { id: string; patient: { reference: string } }[] };
    const other = all.items.find(({ patient }) => patient.reference === 'Patient/cleo')?.id;
    expect((await baton.api('GET', `/cases/${other}`, { as })).status).toBe(404);
  });
});

it('the audit trail tells who did what to whom', async () => {
  await baton.api('GET', '/cases?patient=Patient/bea');
  const rows = await baton.audited();
  expect(rows.at(-1)).toMatchObject({ interaction: 'case-list', type: 'EpisodeOfCare', status: 200, action: 'R' });
  const opened = rows.filter(({ interaction }) => interaction === 'case-open');
  expect(opened.map(({ status }) => Number(status))).toContain(201);
  expect(rows.some(({ interaction, type }) => interaction === 'create' && type === 'CareTeam')).toBe(true);
});

describe('the documentation', () => {
  it('is open and tells of every route', async () => {
    const answer = await baton.send('GET', '/api/v1/openapi.json', { as: '' });
    expect(answer.status).toBe(200);
    const { openapi, paths } = answer.json as { openapi: string; paths: Record<string, object> };
    expect(openapi).toBe('3.1.1');
    expect(Object.keys(paths['/cases'] ?? {})).toEqual(['get', 'post']);
    expect(paths['/worklist/events']).toMatchObject({
      get: { responses: { 200: { content: { 'text/event-stream': {} } } } },
    });
  });

  it('can be browsed under a policy that lets in nothing else', async () => {
    const page = await baton.send('GET', '/api/v1/docs/', { as: '' });
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.text).not.toMatch(/<script>[^<]/);
    for (const src of page.text.matchAll(/(?:src|href)="\.?\/?([^"]+)"/g)) {
      const path = `/api/v1/docs/${(src[1] ?? '').replace(/^.*docs\//, '')}`;
      expect((await baton.send('GET', path, { as: '' })).status, path).toBe(200);
    }
    expect((await baton.send('GET', '/api/v1/docs/json', { as: '' })).json.openapi).toBe('3.1.1');
  });
});

describe('commands that were carried out', () => {
  it('are known after a restart, and forgotten after a week', async () => {
    const key = 'kept';
    const patient = 'gus';
    await baton.put({ resourceType: 'Patient', id: patient, name: [{ given: ['gus'], family: 'Example' }] });
    const first = await baton.api('POST', '/cases', { body: caseFor(patient), key });
    const store = await baton.temp.reopen();
    const again = await serveApi({ store });
    try {
      const answer = await again.api('POST', '/cases', { body: caseFor(patient), key });
      expect([answer.status, answer.text]).toEqual([201, first.text]);
      expect(answer.headers['idempotency-replayed']).toBe('true');
      const known = () => store.query('SELECT key FROM api_command WHERE key = ?', [key]);
      const { clock } = again.temp;
      await forgetCommands(store, clock);
      expect(await known()).toHaveLength(1);
      const later = { now: () => clock.now(), real: () => clock.real().add({ hours: 24 * 8 }) };
      await forgetCommands(store, later);
      expect(await known()).toHaveLength(0);
    } finally {
      await again.close();
    }
  });
});
