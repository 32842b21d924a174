// An update touches only the search rows that differ; what is left is what a new resource of the same content would have.
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseExact } from '../../../src/fhir/exact-json.ts';
import type { Revision } from '../../../src/store/revision.ts';
import { contentOf, NURSE } from '../../support/store-fixtures.ts';
import { openTempStore, type TempStore } from '../../support/temp-store.ts';

let temp: TempStore;
beforeAll(async () => {
  temp = await openTempStore();
});
afterAll(() => temp.cleanup());

const KINDS = ['token', 'reference', 'date', 'string', 'number', 'quantity', 'uri'];

/** Every row of the Task but for its number. */
async function rowsOf(id: string): Promise<string[]> {
  const found = await Promise.all(
    KINDS.map((kind) =>
      temp.store.query(
        `SELECT s.* FROM search_${kind} s JOIN resource r ON r.rid = s.rid WHERE r.type = 'Task' AND r.id = ?`,
        [id],
      ),
    ),
  );
  return found.flatMap((rows, at) => rows.map(({ rid: _, ...row }) => `${KINDS[at]} ${JSON.stringify(row)}`)).sort();
}

const withWords = async (words: string) =>
  (await temp.store.find(`Task?_content=${words}`)).map(({ id }) => id).filter((id) => id === 'changing');

const BASE: Task = {
  resourceType: 'Task',
  id: 'changing',
  status: 'requested',
  intent: 'order',
  code: { text: 'Telephone contact' },
  restriction: { period: { start: '2026-11-23T09:00:00-05:00', end: '2026-11-24T23:59:59-05:00' } },
};
const MODIFIED = '2026-11-24T09:00:00Z';
const tag = (code: string) => ({ tag: [{ system: 'urn:ward', code }] });

const STEPS: [string, Task][] = [
  ['as it is', BASE],
  [
    'with another stage',
    { ...BASE, priority: 'urgent', businessStatus: { coding: [{ code: 'due', display: 'Due' }] } },
  ],
  ['with a deadline that moved', { ...BASE, restriction: { period: { end: '2026-12-01' } } }],
  ['with other words', { ...BASE, code: { text: 'Home visit' }, note: [{ text: 'Bring the scales' }] }],
  ['with equal rows twice', { ...BASE, meta: { tag: [...tag('a').tag, ...tag('a').tag, ...tag('b').tag] } }],
  [
    'with more of them',
    { ...BASE, meta: { tag: [...tag('b').tag, ...tag('c').tag] }, code: { text: 'Telephone contact' } },
  ],
  ['with nothing in it', { resourceType: 'Task', id: 'changing', status: 'requested', intent: 'order' }],
  ['as it was', BASE],
];

test('an update leaves what a new resource of the same content has', async () => {
  for (const [what, task] of STEPS) {
    const [outcome] = await temp.store.commit(NURSE, [{ op: 'update', resource: task }]);
    const { id: _, meta, ...rest } = contentOf<Task>(outcome);
    const again = { ...rest, ...(meta?.tag ? { meta: { tag: meta.tag } } : {}) } as Task;
    const [fresh] = await temp.store.commit(NURSE, [{ op: 'create', resource: again }]);
    expect(await rowsOf('changing'), what).toEqual(await rowsOf(fresh?.id ?? ''));
    expect([await withWords('telephone'), await withWords('scales')], what).toEqual([
      task.code?.text === 'Telephone contact' ? ['changing'] : [],
      task.note ? ['changing'] : [],
    ]);
  }
});

test('two updates in one transaction of the database end with the words of the last', async () => {
  const to = (text: string) => temp.store.commit(NURSE, [{ op: 'update', resource: { ...BASE, code: { text } } }]);
  await Promise.all([to('Home visit'), to('Telephone contact')]);
  expect([await withWords('telephone'), await withWords('visit')]).toEqual([['changing'], []]);
});

/** The Task as its caller reads it, with what is changed. */
async function bringing(id: string, change: (task: Task) => Task) {
  const stored = await temp.store.read('Task', id);
  const before = parseExact<Task>(stored?.content ?? '');
  return { before, resource: change(before) };
}

test('what the caller has read stands for what is stored while it is that version, and is not read again', async () => {
  const seen: unknown[] = [];
  const revisions = { types: new Set(['Task']), check: async ({ before }: Revision) => void seen.push(before) };
  const watched = await openTempStore({ revisions });
  const at = (text: string) => ({ ...BASE, code: { text } });
  await watched.store.commit(NURSE, [{ op: 'update', resource: at('Home visit') }]);
  const stored = await watched.store.read('Task', 'changing');
  const before = parseExact<Task>(stored?.content ?? '');
  const change = { op: 'update', before } as const;
  await watched.store.commit(NURSE, [{ ...change, resource: at('Telephone contact') }]);
  await watched.store.commit(NURSE, [{ ...change, resource: at('Letter') }]);
  const isBrought = seen.map((one) => one === before);
  await watched.cleanup();
  expect(isBrought).toEqual([false, true, false]);
});

test('what it has read of an earlier version, of another resource or before a delete leaves no rows', async () => {
  const elsewhere = await bringing('changing', (task) => ({ ...task, id: 'other' }));
  await temp.store.commit(NURSE, [{ op: 'update', ...elsewhere }]);
  const { before, resource } = await bringing('changing', (task) => ({ ...task, lastModified: MODIFIED }));
  await temp.store.commit(NURSE, [
    { op: 'update', resource: { ...BASE, priority: 'asap', code: { text: 'Home visit' } } },
  ]);
  await temp.store.commit(NURSE, [{ op: 'update', resource, before }]);
  expect([await withWords('telephone'), await withWords('visit')]).toEqual([['changing'], []]);
  const again = await bringing('changing', (task) => ({ ...task, priority: 'urgent' }));
  await temp.store.commit(NURSE, [{ op: 'delete', type: 'Task', id: 'changing' }]);
  await temp.store.commit(NURSE, [{ op: 'update', ...again }]);
  const { id: _, meta: __, ...rest } = again.resource;
  const [fresh] = await temp.store.commit(NURSE, [{ op: 'create', resource: rest as Task }]);
  expect(await rowsOf('changing')).toEqual(await rowsOf(fresh?.id ?? ''));
  expect((await temp.store.find('Task?priority=asap')).length).toBe(0);
  expect((await temp.store.find('Task')).map(({ id }) => id)).toContain('changing');
});
