// The simulated EHR over real HTTP: what a FHIR client may rely on, and that a restart forgets nothing.
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bundle, CapabilityStatement, Patient, Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EhrServer, startEhr, temporaryFolder } from './ehr-server.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let ehr: EhrServer;

beforeEach(async () => {
  folder = await temporaryFolder();
  ehr = await startEhr(folder.path);
});
afterEach(async () => {
  await ehr.stop();
  await folder.remove();
});

const patient = (value: string): Patient => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:test:mrn', value }],
  name: [{ family: 'Sample' }],
});
const task = (value: string, status: Task['status'] = 'requested'): Task => ({
  resourceType: 'Task',
  identifier: [{ system: 'urn:baton:follow-up', value }],
  status,
  intent: 'order',
});

describe('reading and writing', () => {
  it('creates with a location, an ETag and the hospital clock as lastUpdated', async () => {
    const { status, headers, body } = await ehr.call<Patient>('POST', '/Patient', { ...patient('1'), id: 'mine' });
    expect(status).toBe(201);
    expect(body.id).not.toBe('mine');
    expect(body.meta?.versionId).toBe('1');
    expect(body.meta?.lastUpdated).toMatch(/^2026-11-20T13:00:\d\d\.\d{3}Z$/);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(headers.get('location')).toContain(`/R4/Patient/${body.id}/_history/1`);
    expect(headers.get('last-modified')).toMatch(/^Fri, 20 Nov 2026 13:00:\d\d GMT$/);
    expect(headers.get('date')).toMatch(/^Fri, 20 Nov 2026 13:00:\d\d GMT$/);
  });

  it('does not create what If-None-Exist finds, and refuses when it finds two', async () => {
    const first = await ehr.call<Patient>('POST', '/Patient', patient('1'));
    const condition = { 'if-none-exist': 'identifier=urn:test:mrn|1' };
    const again = await ehr.call<Patient>('POST', '/Patient', patient('1'), condition);
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    await ehr.call('POST', '/Patient', patient('1'));
    expect((await ehr.call('POST', '/Patient', patient('1'), condition)).status).toBe(412);
  });

  it('makes one resource of twenty parallel conditional creates', async () => {
    const condition = { 'if-none-exist': 'identifier=urn:test:mrn|7' };
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => ehr.call<Patient>('POST', '/Patient', patient('7'), condition)),
    );
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
  });

  it('finds identifiers whose value has bars, as follow-ups have', async () => {
    const value = 'e1|contact|1';
    const condition = { 'if-none-exist': `identifier=${encodeURIComponent('urn:baton:follow-up|e1\\|contact\\|1')}` };
    const made = await ehr.call<Task>('POST', '/Task', task(value), condition);
    await ehr.call('POST', '/Task', task('e1|contact|2'), {
      'if-none-exist': 'identifier=urn:baton:follow-up|e1|contact|2',
    });
    expect((await ehr.call<Task>('POST', '/Task', task(value), condition)).body.id).toBe(made.body.id);
    const found = await ehr.search(`/Task?identifier=${encodeURIComponent('urn:baton:follow-up|e1|contact|1')}`);
    expect(found.body.entry?.map((entry) => entry.resource?.id)).toEqual([made.body.id]);
  });

  it('updates only the version that was read', async () => {
    const { body } = await ehr.call<Task>('POST', '/Task', task('a'));
    const done = { ...body, status: 'completed' as const };
    const put = await ehr.call<Task>('PUT', `/Task/${body.id}`, done, { 'if-match': 'W/"1"' });
    expect([put.status, put.body.meta?.versionId]).toEqual([200, '2']);
    expect((await ehr.fail('PUT', `/Task/${body.id}`, done, { 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await ehr.fail('PUT', `/Task/${body.id}`, done, { 'if-match': '1' })).status).toBe(412);
    expect((await ehr.fail('DELETE', `/Task/${body.id}`, undefined, { 'if-match': 'W/"1"' })).status).toBe(412);
    const patch = [{ op: 'replace', path: '/status', value: 'failed' }];
    expect((await ehr.fail('PATCH', `/Task/${body.id}`, patch, { 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await ehr.call<Task>('GET', `/Task/${body.id}`)).body.status).toBe('completed');
  });

  it('keeps history with deletes, newest first, each time it is asked', async () => {
    const { body } = await ehr.call<Task>('POST', '/Task', task('a'));
    await ehr.call('PUT', `/Task/${body.id}`, { ...body, status: 'completed' });
    expect((await ehr.call('DELETE', `/Task/${body.id}`)).status).toBe(204);
    expect((await ehr.call('DELETE', `/Task/${body.id}`)).status).toBe(204);
    expect((await ehr.call('GET', `/Task/${body.id}`)).status).toBe(410);
    expect((await ehr.call('GET', '/Task/none')).status).toBe(404);
    for (const path of [`/Task/${body.id}/_history`, `/Task/${body.id}/_history`, '/Task/_history', '/_history']) {
      const { body: bundle } = await ehr.search(path);
      expect(bundle.entry?.map((entry) => entry.request?.method)).toEqual(['DELETE', 'PUT', 'POST']);
    }
    expect((await ehr.call<Task>('GET', `/Task/${body.id}/_history/1`)).body.status).toBe('requested');
    expect((await ehr.call('GET', `/Task/${body.id}/_history/3`)).status).toBe(410);
  });

  it('refuses what is not FHIR', async () => {
    const statuses = await Promise.all([
      ehr.call('POST', '/Patient', '{"resourceType":'),
      ehr.call('POST', '/Patient', { resourceType: 'Task', status: 'requested', intent: 'order' }),
      ehr.call('POST', '/Task', { resourceType: 'Task' }),
      ehr.call('POST', '/Spaceship', { resourceType: 'Spaceship' }),
      ehr.call('GET', '/Task?colour=red'),
      ehr.call('GET', '/Task?_count=many'),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([400, 400, 400, 404, 400, 400]);
    expect((await ehr.search('/_history')).body.entry).toBeUndefined();
  });
});

describe('searching', () => {
  it('pages what changed since, oldest first, each once', async () => {
    for (let index = 0; index < 7; index++) {
      await ehr.call('POST', '/Task', task(`t${index}`));
      ehr.clock.moveTo(ehr.clock.now().add({ minutes: 1 }));
    }
    const since = Temporal.Instant.from('2026-11-20T13:02:00Z').toString();
    const values: string[] = [];
    let url: string | undefined = `/Task?_lastUpdated=ge${since}&_sort=_lastUpdated&_count=2`;
    while (url) {
      const { body } = await ehr.search(url);
      expect(body.total).toBe(5);
      for (const entry of body.entry ?? []) values.push((entry.resource as Task).identifier?.[0]?.value ?? '');
      url = body.link?.find((link) => link.relation === 'next')?.url;
    }
    expect(values).toEqual(['t2', 't3', 't4', 't5', 't6']);
  });

  it('follows references, also given as absolute URL or in a posted form', async () => {
    const { body } = await ehr.call<Patient>('POST', '/Patient', patient('1'));
    await ehr.call('POST', '/Task', { ...task('a'), for: { reference: `Patient/${body.id}` } });
    await ehr.call('POST', '/Task', task('b'));
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const replies = [
      await ehr.search(`/Task?patient=${body.id}&_include=Task:patient`),
      await ehr.search(`/Task?subject=${encodeURIComponent(`${ehr.root()}/R4/Patient/${body.id}`)}`),
      await ehr.call<Bundle>('POST', '/Task/_search', `patient=Patient/${body.id}`, form),
    ];
    expect(replies.map((reply) => [reply.status, reply.body.total, reply.body.entry?.length])).toEqual([
      [200, 1, 2],
      [200, 1, 1],
      [200, 1, 1],
    ]);
  });

  it('answers every search parameter that its CapabilityStatement declares for Task', async () => {
    const { body } = await ehr.call<CapabilityStatement>('GET', '/metadata', undefined, { authorization: '' });
    const declared = body.rest?.[0]?.resource?.find(({ type }) => type === 'Task')?.searchParam ?? [];
    expect(declared.length).toBeGreaterThan(15);
    for (const { name, type } of declared) {
      const value = type === 'date' ? '2026' : 'x';
      expect([name, (await ehr.search(`/Task?${name}=${value}`)).status]).toEqual([name, 200]);
    }
  });
});

describe('bundles', () => {
  const bundle = (...resources: object[]): Bundle =>
    ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: resources.map((resource, index) => ({
        fullUrl: `urn:uuid:0000000${index}-0000-4000-8000-000000000000`,
        resource,
        request: { method: 'POST', url: (resource as { resourceType: string }).resourceType },
      })),
    }) as Bundle;

  it('rewrites references and answers in order', async () => {
    const focus = { reference: 'urn:uuid:00000001-0000-4000-8000-000000000000' };
    const { status, body } = await ehr.call<Bundle>('POST', '', bundle({ ...task('a'), for: focus }, patient('1')));
    expect(status).toBe(200);
    expect(body.entry?.map((entry) => [entry.response?.status, entry.response?.etag])).toEqual([
      ['201', 'W/"1"'],
      ['201', 'W/"1"'],
    ]);
    const [first, second] = body.entry ?? [];
    expect((first?.resource as Task | undefined)?.for?.reference).toBe(`Patient/${second?.resource?.id}`);
  });

  it('creates a circle of a dozen conditionally, and nothing the second time', async () => {
    const circle = () => {
      const all = bundle(...Array.from({ length: 12 }, (_, index) => task(`e|step${index}|1`)));
      for (const [index, entry] of (all.entry ?? []).entries()) {
        const next = all.entry?.[(index + 1) % 12]?.fullUrl;
        if (next) (entry.resource as Task).focus = { reference: next };
        if (entry.request) entry.request.ifNoneExist = `identifier=urn:baton:follow-up|e\\|step${index}\\|1`;
      }
      return all;
    };
    const first = await ehr.call<Bundle>('POST', '', circle());
    expect(first.body.entry?.map((entry) => entry.response?.status)).toEqual(Array(12).fill('201'));
    const again = await ehr.call<Bundle>('POST', '', circle());
    expect(again.body.entry?.map((entry) => entry.response?.status)).toEqual(Array(12).fill('200'));
    const ids = (reply: typeof first) => reply.body.entry?.map((entry) => entry.resource?.id);
    expect(ids(again)).toEqual(ids(first));
    const [one, two] = (again.body.entry ?? []).map((entry) => entry.resource as Task);
    expect(one?.focus?.reference).toBe(`Task/${two?.id}`);
    expect((await ehr.search('/_history')).body.total).toBe(12);
    await ehr.call('POST', '/Task', task('e|step3|1'));
    expect((await ehr.fail('POST', '', circle())).status).toBe(412);
  });

  it('undoes a transaction whose last entry is wrong', async () => {
    const { body: kept } = await ehr.call<Task>('POST', '/Task', task('kept'));
    const change = bundle(patient('1'), { resourceType: 'Task' });
    change.entry?.unshift({
      resource: { ...kept, status: 'completed' },
      request: { method: 'PUT', url: `Task/${kept.id}` },
    });
    expect((await ehr.fail('POST', '', change)).status).toBe(400);
    expect((await ehr.search('/Patient')).body.total).toBe(0);
    expect((await ehr.call('GET', `/Task/${kept.id}`)).body).toEqual(kept);
    expect((await ehr.search('/_history')).body.total).toBe(1);
  });
});

describe('restart', () => {
  const everything = async () => (await ehr.search('/_history?_count=500')).body.entry;

  it('brings back every id, version and time, and goes on counting', async () => {
    const { body } = await ehr.call<Task>('POST', '/Task', task('a'));
    await ehr.call('PUT', `/Task/${body.id}`, { ...body, status: 'completed' });
    const { body: gone } = await ehr.call<Task>('POST', '/Task', task('b'));
    await ehr.call('DELETE', `/Task/${gone.id}`);
    const before = (await everything())?.map(({ fullUrl: _, ...entry }) => entry);
    await ehr.stop();
    ehr = await startEhr(folder.path);
    expect((await everything())?.map(({ fullUrl: _, ...entry }) => entry)).toEqual(before);
    expect((await ehr.search('/Task')).body.total).toBe(1);
    const put = await ehr.call<Task>('PUT', `/Task/${body.id}`, body);
    expect(put.body.meta?.versionId).toBe('3');
    expect((await ehr.call<Task>('PUT', `/Task/${gone.id}`, gone)).body.meta?.versionId).toBe('3');
  });

  it('cuts off a last line that a crash tore, and only that', async () => {
    await ehr.call('POST', '/Task', task('a'));
    await ehr.stop();
    const file = join(folder.path, 'sandbox-ehr-hapi.ndjson');
    const whole = await readFile(file, 'utf8');
    await appendFile(file, whole.slice(0, whole.length / 2));
    ehr = await startEhr(folder.path);
    expect((await ehr.search('/Task')).body.total).toBe(1);
    await ehr.call('POST', '/Task', task('b'));
    await ehr.stop();
    ehr = await startEhr(folder.path);
    expect((await ehr.search('/Task')).body.total).toBe(2);
  });

  it('stops with a sentence when the file is damaged elsewhere', async () => {
    await ehr.call('POST', '/Task', task('a'));
    await ehr.call('POST', '/Task', task('b'));
    const file = join(folder.path, 'sandbox-ehr-hapi.ndjson');
    const whole = await readFile(file, 'utf8');
    const broken = `{${whole.slice(1)}`;
    await writeFile(file, broken);
    await expect(startEhr(folder.path)).rejects.toThrow('damaged at line 1');
    expect(await readFile(file, 'utf8')).toBe(broken);
  });
});
