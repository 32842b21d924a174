// $meta, $meta-add and $meta-delete at every level that R4 has. https://hl7.org/fhir/R4/resource-operations.html
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, serve, type TestServer } from '../server/serve.ts';

let baton: TestServer;

beforeAll(async () => {
  baton = await serve();
});

afterAll(() => baton.close());

const TAG = { system: 'urn:tags', code: 'a', display: 'A' };
const LABEL = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
const input = (valueMeta: unknown) => ({ resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta }] });

async function created(meta: object = {}): Promise<string> {
  return (await baton.fhir('POST', '/Patient', { body: { resourceType: 'Patient', meta } })).json.id as string;
}

interface MetaAnswer extends Json {
  readonly parameter: {
    name: string;
    valueMeta: { tag?: object[]; security?: object[]; profile?: string[]; versionId?: string };
  }[];
}
const metaOf = (json: Json) => (json as MetaAnswer).parameter[0]?.valueMeta;

describe('$meta', () => {
  it('of a resource and of a version is what they have', async () => {
    const id = await created({ tag: [TAG] });
    await baton.fhir('PUT', `/Patient/${id}`, { body: { resourceType: 'Patient', id } });
    const now = await baton.fhir('GET', `/Patient/${id}/$meta`);
    expect([now.status, now.json.resourceType, now.headers.etag]).toEqual([200, 'Parameters', 'W/"2"']);
    expect(metaOf(now.json)).toMatchObject({ versionId: '2' });
    expect(metaOf(now.json)?.tag).toBeUndefined();
    const before = await baton.fhir('GET', `/Patient/${id}/_history/1/$meta`);
    expect(metaOf(before.json)?.tag).toEqual([TAG]);
    expect((await baton.fhir('POST', `/Patient/${id}/$meta`)).status).toBe(200);
    expect((await baton.fhir('GET', '/Patient/never/$meta')).status).toBe(404);
  });

  it('of a type and of everything is what is in use, each once', async () => {
    const own = { system: 'urn:tags', code: 'type-level' };
    await created({ tag: [own], security: [LABEL] });
    await created({ tag: [own] });
    const note = { resourceType: 'Basic', code: { text: 'x' }, meta: { tag: [{ system: 'urn:tags', code: 'basic' }] } };
    await baton.fhir('POST', '/Basic', { body: note });
    const gone = await created({ tag: [{ system: 'urn:tags', code: 'gone' }] });
    await baton.fhir('DELETE', `/Patient/${gone}`);
    const ofType = metaOf((await baton.fhir('GET', '/Patient/$meta')).json);
    expect(ofType?.tag?.filter((tag) => 'code' in tag && tag.code === 'type-level')).toEqual([own]);
    expect(ofType?.security).toContainEqual(LABEL);
    expect(JSON.stringify(ofType)).not.toMatch(/basic|gone/);
    const all = metaOf((await baton.fhir('GET', '/$meta')).json);
    expect(all?.tag).toContainEqual({ system: 'urn:tags', code: 'basic' });
  });

  it('tells nobody what they may not read', async () => {
    const id = await created({ tag: [TAG] });
    const as = await baton.token('system/Observation.rs');
    for (const path of [`/Patient/${id}/$meta`, `/Patient/${id}/_history/1/$meta`, '/Patient/$meta', '/$meta']) {
      expect((await baton.fhir('GET', path, { as })).status).toBe(403);
    }
  });
});

describe('$meta-add and $meta-delete', () => {
  it('change the sets and nothing else, as a version of its own', async () => {
    const id = await created({ tag: [TAG] });
    const more = { tag: [TAG, { system: 'urn:tags', code: 'b' }], security: [LABEL], profile: ['urn:p'] };
    const added = await baton.fhir('POST', `/Patient/${id}/$meta-add`, { body: input(more) });
    expect([added.status, added.headers.etag]).toEqual([200, 'W/"2"']);
    expect(metaOf(added.json)).toMatchObject({ ...more, versionId: '2' });
    expect((await baton.fhir('GET', `/Patient?_id=${id}&_tag=urn:tags|b`)).json.total).toBe(1);
    const less = {
      tag: [
        { system: 'urn:tags', code: 'a' },
        { system: 'urn:tags', code: 'never' },
      ],
      profile: ['urn:p'],
    };
    const deleted = await baton.fhir('POST', `/Patient/${id}/$meta-delete`, { body: input(less) });
    expect(metaOf(deleted.json)).toMatchObject({ tag: [{ system: 'urn:tags', code: 'b' }], versionId: '3' });
    expect(metaOf(deleted.json)?.profile).toBeUndefined();
  });

  it('make no version when there is nothing to change', async () => {
    const id = await created({ tag: [TAG] });
    expect((await baton.fhir('POST', `/Patient/${id}/$meta-add`, { body: input({ tag: [TAG] }) })).headers.etag).toBe(
      'W/"1"',
    );
    const none = input({ tag: [{ code: 'x' }] });
    expect((await baton.fhir('POST', `/Patient/${id}/$meta-delete`, { body: none })).headers.etag).toBe('W/"1"');
  });

  it('lose nothing when many come at once', async () => {
    const id = await created();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        baton.fhir('POST', `/Patient/${id}/$meta-add`, { body: input({ tag: [{ code: `t${index}` }] }) }),
      ),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect((await baton.fhir('GET', `/Patient/${id}`)).json.meta?.tag).toHaveLength(20);
  });

  it('honour If-Match, and refuse GET, a wrong input, another level and too small a scope', async () => {
    const id = await created();
    const body = input({ tag: [TAG] });
    const path = `/Patient/${id}/$meta-add`;
    expect((await baton.fhir('POST', path, { body, headers: { 'if-match': 'W/"7"' } })).status).toBe(412);
    expect((await baton.fhir('GET', path)).status).toBe(405);
    for (const wrong of [
      input('x'),
      input({ tag: 'x' }),
      input({ profile: [1] }),
      input(null),
      { resourceType: 'Parameters' },
    ]) {
      expect((await baton.fhir('POST', path, { body: wrong })).status).toBe(400);
    }
    expect((await baton.fhir('POST', '/Patient/never/$meta-add', { body })).status).toBe(404);
    expect((await baton.fhir('POST', '/Patient/$meta-add', { body })).status).toBe(405);
    expect((await baton.fhir('POST', `/Patient/${id}/_history/1/$meta-add`, { body })).status).toBe(404);
    expect((await baton.fhir('POST', path, { body, as: await baton.token('system/Patient.rs') })).status).toBe(403);
    const blind = await baton.fhir('POST', path, { body, as: await baton.token('system/Patient.u') });
    expect([blind.status, blind.text]).toEqual([200, '']);
  });

  it('can be sent in a batch, and not in a transaction', async () => {
    const id = await created();
    const entry = [{ resource: input({ tag: [TAG] }), request: { method: 'POST', url: `Patient/${id}/$meta-add` } }];
    const batch = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'batch', entry } });
    expect(batch.json.entry?.[0]?.response).toMatchObject({ status: '200 OK', etag: 'W/"2"' });
    const transaction = await baton.fhir('POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
    expect(transaction.status).toBe(400);
  });
});
