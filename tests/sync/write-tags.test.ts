// Servers that answer writes without the resource, and whose ETag of that answer does not say which version a read shows.
// docs/sync-spec.md#I14
import { createHash } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import { afterEach, describe, expect, test } from 'vitest';
import { isLater } from '../../src/sync/push/read-back.ts';
import { openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
afterEach(() => world.cleanup());

/** The ETag of an answer, given the version that it is about, what it consists of and whether it is one to a read. */
type Tag = (version: string, text: string, isRead: boolean) => string | undefined;

async function open(tag: Tag): Promise<void> {
  const fetchOf: typeof fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    headers.delete('if-match');
    const response = await fetch(url, { ...init, headers });
    const isWrite = init?.method === 'PUT' || init?.method === 'POST';
    const isRead = !isWrite && /\/Task\/[^/?]+$/.test(String(url));
    if (!response.ok || !(isRead || (isWrite && String(url).includes('/Task')))) return response;
    const text = isRead ? await response.text() : '';
    const version = /"([^"]+)"/.exec(response.headers.get('etag') ?? '')?.[1] ?? '';
    const made = tag(version, text, isRead);
    const kept = [...response.headers].filter(([name]) => name === 'location' || name === 'content-type');
    const answered = new Headers(kept as [string, string][]);
    if (made !== undefined) answered.set('etag', made);
    return new Response(isRead ? text : null, { status: response.status, headers: answered });
  };
  world = await openWorld({ knobs: { forgets: ['note'] }, sync: () => ({ fetch: fetchOf }) });
  await world.write(patient('p1'));
  await world.sync.pushNow();
}

async function rounds(many: number): Promise<void> {
  for (let count = 0; count < many; count += 1) {
    await world.sync.pushNow();
    world.pass({ minutes: 20 });
    await world.sync.pullNow();
  }
}

const writes = () => world.remote.requests.filter(({ method, url }) => method !== 'GET' && url.includes('/Task'));
const hashed = (text: string) => `W/"${createHash('sha1').update(text).digest('base64')}"`;

const TAGS: Record<string, Tag> = {
  'of the bytes of each answer': (_version, text) => hashed(text),
  'of the bytes, of writes only': (_version, text, isRead) => (isRead ? undefined : hashed(text)),
  'with the coding of the answer behind it': (version, _text, isRead) => `W/"${version}${isRead ? '-gzip' : ''}"`,
  'weak and strong': (version, _text, isRead) => (isRead ? `"${version}"` : `W/"${version}"`),
  'of writes only': (version, _text, isRead) => (isRead ? undefined : `W/"${version}"`),
  'of reads only': (version, _text, isRead) => (isRead ? `W/"${version}"` : undefined),
};

describe.each(Object.entries(TAGS))('an ETag %s', (_name, tag) => {
  test('is no edit there: each is written once, and that is all', async () => {
    await open(tag);
    await world.write(task('t1', { description: 'Call', note: [{ text: 'Dropped there' }] }));
    await rounds(10);
    expect(writes().map(({ method }) => method)).toEqual(['POST']);
    await world.write(task('t1', { description: 'Call twice', note: [{ text: 'Dropped there, too' }] }));
    await rounds(10);
    expect(writes().map(({ method }) => method)).toEqual(['POST', 'PUT']);
    expect(await world.sync.conflicts()).toEqual([]);
    expect((await world.sync.status())[0]).toMatchObject({ parked: 0, rejected: 0 });
    expect(await world.all<Task>('Task')).toMatchObject([{ description: 'Call twice' }]);
  });
});

const shows = (versionId: string | undefined, named: string | undefined) => ({
  status: 200,
  ...(versionId === undefined ? {} : { versionId }),
  body: { resourceType: 'Task', ...(named === undefined ? {} : { meta: { versionId: named } }) } as Task,
});

test.each([
  ['2', '3', '3', true],
  ['2', '3', undefined, true],
  ['2', '3-gzip', '3', true],
  ['2', '2-gzip', '2', false],
  ['c1f0', 'd2e1', 'd2e1', true],
  ['c1f0', 'd2e1', undefined, false],
  ['c1f0', 'd2e1', '2', false],
  ['c1f0', 'c1f0', '2', false],
  [undefined, '3', '3', false],
  ['2', undefined, undefined, false],
])('what a write made as %s and a read shows as %s, naming %s, was edited: %s', (made, tag, named, expected) => {
  expect(isLater(shows(tag, named), { status: 200, ...(made === undefined ? {} : { versionId: made }) })).toBe(
    expected,
  );
});
