// The first load by bulk export: begun where it is offered, durable in every step, bounded, and given up for the pages when
// it cannot be had. docs/sync-spec.md#I33
import { gzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SigningKey } from '../../src/remote/authorization.ts';
import { linesOf } from '../../src/remote/download.ts';
import { readManifest } from '../../src/sync/bulk/manifest.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { fakeExport } from '../support/fake-export.ts';
import { type RawServer, serveHttp } from '../support/raw-server.ts';
import { openWorld, patient, task, type World, type WorldOptions } from '../support/sync-world.ts';

let world: World;
let bulk: ReturnType<typeof fakeExport>;
let storage: RawServer | undefined;

beforeEach(() => {
  bulk = fakeExport();
});
afterEach(async () => {
  await world?.cleanup();
  await storage?.close();
  storage = undefined;
});

const TYPES = { Patient: 'pull', Task: 'pull' } as const;

async function open(
  connection: Partial<Connection> = {},
  exports: ('system' | 'Group' | 'Patient')[] = ['Patient'],
  more: Partial<WorldOptions> = {},
) {
  world = await openWorld({
    ...more,
    knobs: { exports, ...more.knobs },
    extend: bulk.mount,
    connection: { types: TYPES, bulk: {}, ...connection },
  });
  world.remote.put(patient('p'));
  for (let id = 0; id < 8; id += 1) world.remote.put(task(`t${id}`, { for: { reference: 'Patient/p' } }));
}

/** Pulls until the job is no more, as a heartbeat would. */
async function load(): Promise<void> {
  for (let round = 0; round < 12; round += 1) {
    await world.sync.pullNow();
    if (['done', 'failed'].includes(String((await job())?.state))) return;
    world.pass({ minutes: 3 });
  }
}

async function job(): Promise<Record<string, unknown> | undefined> {
  return (await world.temp.store.query('SELECT * FROM bulk_job'))[0];
}

const asked = (part: string) => bulk.asked.filter(({ what }) => what.includes(part));
const searches = () => world.remote.requests.filter(({ url }) => /^\/(Task|Patient)\?/.test(url));
const messages = (outcome: string) =>
  world.temp.store.query('SELECT detail, response FROM message WHERE outcome = ?', [outcome]);

async function expectAll(): Promise<void> {
  expect(await world.all('Patient')).toHaveLength(1);
  const tasks = await world.all<Resource & { resourceType: 'Task'; for?: { reference?: string } }>('Task');
  expect(tasks).toHaveLength(8);
  const [local] = await world.all('Patient');
  expect(new Set(tasks.map((one) => one.for?.reference))).toEqual(new Set([`Patient/${local?.id}`]));
}

test('the export brings everything; then the streams begin with its moment', async () => {
  await open();
  await world.sync.pullNow();
  expect(asked('$export')).toMatchObject([{ prefer: 'respond-async' }]);
  expect(asked('$export')[0]?.what).toContain('/fhir/Patient/$export?_type=Patient%2CTask');
  expect(await job()).toMatchObject({ state: 'requested' });
  expect(searches()).toEqual([]);
  await load();
  expect(await job()).toMatchObject({ state: 'done' });
  await expectAll();
  expect(asked('DELETE')).toHaveLength(1);
  expect(await world.temp.store.query('SELECT * FROM bulk_file')).toEqual([]);
  expect(searches().length).toBeGreaterThan(0);
  for (const { url } of searches()) expect(url).toMatch(/_lastUpdated=ge2026-11-24T11%3A5/);
  world.remote.put(task('new', { for: { reference: 'Patient/p' } }));
  await world.sync.pullNow();
  expect(await world.all('Task')).toHaveLength(9);
  expect(asked('$export')).toHaveLength(1);
});

test('Retry-After is heeded', async () => {
  await open();
  bulk.working = 2;
  await world.sync.pullNow();
  await world.sync.pullNow();
  await world.sync.pullNow();
  world.pass({ seconds: 100 });
  await world.sync.pullNow();
  expect(asked('GET /fhir/job')).toHaveLength(1);
  world.pass({ seconds: 21 });
  await world.sync.pullNow();
  expect(asked('GET /fhir/job')).toHaveLength(2);
});

test('every step survives a restart', async () => {
  await open();
  for (let round = 0; round < 6; round += 1) {
    await world.sync.pullNow();
    await world.restart();
    world.pass({ minutes: 3 });
  }
  expect(await job()).toMatchObject({ state: 'done', attempts: 1 });
  expect(asked('$export')).toHaveLength(1);
  await expectAll();
});

test('a file that breaks off goes on at the line it got to, and nothing comes twice', async () => {
  await open();
  bulk.perFile = 1_000;
  for (let id = 8; id < 450; id += 1) world.remote.put(task(`t${id}`, { for: { reference: 'Patient/p' } }));
  bulk.working = 0;
  bulk.files.Patient = [];
  bulk.breakAfter = 250;
  await world.sync.pullNow();
  await world.sync.pullNow();
  expect(await job()).toMatchObject({ state: 'loading', detail: expect.stringContaining('No answer') });
  expect(await world.temp.store.query("SELECT lines FROM bulk_file WHERE type = 'Task'")).toEqual([{ lines: 200 }]);
  expect(await world.all('Task')).toHaveLength(200);
  const [status] = await world.sync.status();
  expect(status?.firstLoad).toMatchObject({ state: 'loading', files: 1, filesDone: 0, lines: 200 });
  await world.restart();
  await load();
  expect(await job()).toMatchObject({ state: 'done' });
  expect(await world.all('Task')).toHaveLength(450);
  expect(world.events.filter(({ operation, type }) => type === 'Task' && operation === 'update')).toEqual([]);
});

test.each([404, 410, 403])('files that are gone (%i) have the job begun anew, a few times only', async (status) => {
  await open();
  bulk.fileStatuses = [status];
  await load();
  expect(await job()).toMatchObject({ state: 'done', attempts: 2 });
  await expectAll();
});

test('a job that the server forgot is begun anew', async () => {
  await open();
  bulk.expired = true;
  await load();
  expect(await job()).toMatchObject({ state: 'done', attempts: 2 });
  await expectAll();
});

test('one that never comes to an end of its attempts is given up for the pages', async () => {
  await open();
  bulk.fileStatuses = Array.from({ length: 50 }, () => 404);
  await load();
  expect(await job()).toMatchObject({ state: 'failed', attempts: 3 });
  expect((await messages('stopped'))[0]?.detail).toContain('page by page');
  await expectAll();
  expect(searches().length).toBeGreaterThan(0);
});

describe('what is in the files', () => {
  test('lines that are no resource, of another type or damaged are kept aside, the others come in', async () => {
    await open();
    bulk.perFile = 100;
    bulk.files.Task = [
      JSON.stringify(task('good', { for: { reference: 'Patient/p' } })),
      '',
      'not JSON',
      '[]',
      JSON.stringify(patient('p9')),
      '{"resourceType":"Task","id":"../x"}',
      '{"resourceType":"Task","id":"twice","status":"requested","status":"completed","intent":"order"}',
      JSON.stringify(task('invalid', { status: 'no-such' })),
      JSON.stringify(task('also', { for: { reference: 'Patient/p' } })),
    ];
    await load();
    expect(await job()).toMatchObject({ state: 'done' });
    // Two of the file, and those that the overlap shows afterwards.
    expect(await world.all('Task')).toHaveLength(2 + 8);
    expect(await messages('quarantined')).toHaveLength(6);
  });

  test('what the server could not export is recorded', async () => {
    await open();
    bulk.errors = ['{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}'];
    await load();
    expect(await messages('warning')).toMatchObject([{ response: bulk.errors[0] }]);
    await expectAll();
  });

  test('a type that was not asked for is not fetched', async () => {
    await open();
    bulk.manifest = (manifest) => ({
      ...manifest,
      output: [...(manifest.output as object[]), { type: 'AuditEvent', url: 'https://evil.example/x' }],
    });
    await load();
    expect(await messages('ignored')).toHaveLength(1);
    await expectAll();
  });
});

describe('where files may lie', () => {
  const seen: (string | undefined)[] = [];
  async function elsewhere(): Promise<string> {
    seen.length = 0;
    storage = await serveHttp((request, response) => {
      seen.push(request.headers.authorization);
      const type = request.url?.includes('/Patient/') ? 'Patient' : 'Task';
      const part = Number(/(\d+)$/.exec(String(request.url))?.[1]);
      const lines = world.remote.all(type).map((resource) => JSON.stringify(resource));
      response.end(lines.slice(part * bulk.perFile, (part + 1) * bulk.perFile).join('\n'));
    });
    return storage.url;
  }

  /** With a credential that must go to the server itself only. */
  async function openWithToken(connection: Partial<Connection>): Promise<void> {
    const { privateKey } = await generateKeyPair('ES384', { extractable: true });
    const key: SigningKey = { ...(await exportJWK(privateKey)), kid: 'k1', alg: 'ES384' };
    const { d: _private, ...shown } = key as SigningKey & { d?: unknown };
    await open(
      { ...connection, auth: { type: 'smart-backend', clientId: 'baton', scope: 'system/*.rs' } },
      ['Patient'],
      {
        knobs: { requireToken: { keys: [{ ...shown, kty: 'EC' }] } },
        sync: () => ({ keys: { ES384: key } }),
      },
    );
    bulk.requiresAccessToken = true;
    // The token endpoint has the machine's time, which does not pass here.
    bulk.working = 0;
  }

  test('files of the server itself are fetched with the token when the list says so, else without', async () => {
    await openWithToken({});
    await load();
    expect(await job()).toMatchObject({ state: 'done' });
    expect(asked('/files/').every(({ authorization }) => authorization?.startsWith('Bearer '))).toBe(true);
    await world.cleanup();
    bulk = fakeExport();
    await open();
    await load();
    expect(asked('/files/').map(({ authorization }) => authorization)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a redirect to storage that the connection names is followed without the token', async () => {
    const origin = await elsewhere();
    await openWithToken({ bulk: { fileOrigins: [origin] } });
    bulk.redirect = origin;
    await load();
    expect(await job()).toMatchObject({ state: 'done' });
    await expectAll();
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  test('files there are fetched without the token, too', async () => {
    const origin = await elsewhere();
    await openWithToken({ bulk: { fileOrigins: [origin] } });
    bulk.origin = origin;
    await load();
    await expectAll();
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  test.each(['redirect', 'origin'] as const)('a %s that it does not name gets no request', async (how) => {
    const origin = await elsewhere();
    await open();
    bulk[how] = origin;
    await load();
    expect(await job()).toMatchObject({ state: 'failed', detail: expect.stringContaining('fileOrigins') });
    expect(seen).toEqual([]);
    await expectAll();
  });

  test('signed addresses are in no message', async () => {
    await open();
    const sign = (url: string) => `${url.replace(world.remote.baseUrl, 'https://storage.example/x')}?sig=TOPSECRET`;
    bulk.manifest = (manifest) => ({
      ...manifest,
      output: (manifest.output as { url: string }[]).map((file) => ({ ...file, url: sign(file.url) })),
    });
    await load();
    expect(await job()).toMatchObject({ state: 'failed' });
    const kept = JSON.stringify([await world.temp.store.query('SELECT * FROM message'), await job()]);
    expect(kept).not.toContain('TOPSECRET');
  });
});

describe('when it is not begun', () => {
  test('without leave', async () => {
    world = await openWorld({ knobs: { exports: ['Patient'] }, extend: bulk.mount, connection: { types: TYPES } });
    await world.sync.pullNow();
    expect(bulk.asked).toEqual([]);
  });

  test('where it is not offered', async () => {
    await open({}, []);
    await world.sync.pullNow();
    expect(bulk.asked).toEqual([]);
    await expectAll();
  });

  test('when streams have begun', async () => {
    await open({}, []);
    await world.sync.pullNow();
    world.remote.knobs.exports = ['Patient'];
    await world.restart();
    await world.sync.pullNow();
    expect(bulk.asked).toEqual([]);
  });

  test('for a Group, more than the Group is never exported', async () => {
    const openGroup = async (exports: ('system' | 'Group' | 'Patient')[]) => {
      await open({ patients: { kind: 'group', id: 'g1' } }, exports);
      const member = [{ entity: { reference: 'Patient/p' } }];
      world.remote.put({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member });
    };
    await openGroup(['Patient', 'system']);
    await world.sync.pullNow();
    expect(bulk.asked).toEqual([]);
    await expectAll();
    await world.cleanup();
    await openGroup(['Group', 'Patient']);
    await load();
    expect(asked('$export')[0]?.what).toContain('/fhir/Group/g1/$export');
  });

  test('where the server refuses, the pages are read in the same pull', async () => {
    await open();
    world.remote.knobs.refusals.push({ status: 403 });
    await world.sync.pullNow();
    expect(await job()).toMatchObject({ state: 'failed', detail: expect.stringContaining('403') });
    await expectAll();
  });
});

describe('hostile lists of files', () => {
  const base = 'https://ehr.example/fhir';
  const good = { transactionTime: '2026-11-24T12:00:00Z', requiresAccessToken: true, output: [], error: [] };
  test.each([
    ['<html>', 'not JSON'],
    ['[]', 'not JSON'],
    [JSON.stringify({ ...good, transactionTime: 'yesterday' }), 'which moment'],
    [JSON.stringify({ ...good, output: {} }), 'no file'],
    [JSON.stringify({ ...good, output: [{ type: '../x', url: 'https://x' }] }), 'no file'],
    [JSON.stringify({ ...good, output: [{ type: 'Task', url: 'http://[' }] }), 'no file'],
    [
      JSON.stringify({ ...good, output: Array.from({ length: 10_001 }, () => ({ type: 'Task', url: 'a' })) }),
      'no file',
    ],
    [JSON.stringify({ ...good, link: [{ relation: 'next', url: 'https://x' }] }), 'another address'],
  ])('%.60s', (text, sentence) => expect(readManifest(text, base)).toContain(sentence));

  test('a good one', () => {
    expect(readManifest(JSON.stringify({ ...good, output: [{ type: 'Task', url: 'files/1' }] }), base)).toEqual({
      transactionTime: '2026-11-24T12:00:00Z',
      requiresAccessToken: true,
      files: [{ type: 'Task', url: 'https://ehr.example/fhir/files/1' }],
    });
  });
});

describe('lines', () => {
  async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
  }
  const read = async (source: AsyncIterable<Uint8Array>, limits = { bytes: 1_000, line: 20 }) => {
    const lines = [];
    for await (const { text, isCut } of linesOf(source, limits)) lines.push(isCut ? `${text}…` : text);
    return lines;
  };

  test('are put together across chunks, also in the middle of a character', async () => {
    const u = Buffer.from('ü');
    expect(await read(chunks('{"a":', '1}\r\n\n{"', u.subarray(0, 1), u.subarray(1), '":2}'))).toEqual([
      '{"a":1}',
      '{"ü":2}',
    ]);
  });

  test('that are too long are cut, and the next one is whole', async () => {
    expect(await read(chunks('x'.repeat(15), 'x'.repeat(15), 'x\nshort\n'))).toEqual([`${'x'.repeat(31)}…`, 'short']);
  });

  test('end with the largest size, however small they came', async () => {
    await expect(read(chunks(...Array.from({ length: 300 }, () => 'abcd\n')))).rejects.toThrow(RangeError);
  });

  test('of a bomb are counted unpacked, in flat memory', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'x'));
    storage = await serveHttp((_request, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
    const { body } = await fetch(storage.url);
    const limits = { bytes: 32 * 1024 * 1024, line: 1024 * 1024 };
    await expect(read(body as unknown as AsyncIterable<Uint8Array>, limits)).rejects.toThrow(RangeError);
  });

  test('that are not UTF-8 end the file', async () => {
    await expect(read(chunks(Buffer.from([0x22, 0xff, 0x22])))).rejects.toThrow(TypeError);
  });
});
