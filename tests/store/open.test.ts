// Opening, sharing, copying and closing a store on a file.
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { walkTrail } from '../../src/store/audit-walk.ts';
import { type OpenStore, openStore } from '../../src/store/open.ts';
import { create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
import { testRules } from '../support/store-rules.ts';
import { openTempStore, type TempStore, testEngine } from '../support/temp-store.ts';

describe('openStore', () => {
  let temp: TempStore;
  beforeEach(async () => {
    temp = await openTempStore();
  });
  afterEach(() => temp.cleanup());

  const open = (url: string): Promise<OpenStore> =>
    openStore({ url, clock: temp.clock, log: pino({ level: 'silent' }), ...testRules() });

  test.for(['', 'sqlite:', 'mysql://localhost', '/tmp/file.db'])(
    'refuses the URL "%s" with a sentence',
    async (url) => {
      expect(await faultOf(open(url))).toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('sqlite:PATH'),
      });
    },
  );

  test('everything is there after a restart, audit records that no commit took along included', async () => {
    const [made] = await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
    temp.store.audit({ actor: NURSE, interaction: 'read', action: 'R', status: 200, type: 'Patient', id: 'a' });
    const store = await temp.reopen();
    expect((await store.read('Patient', 'a'))?.content).toBe(made?.content);
    expect(await store.head()).toBe(1);
    expect(await walkTrail(store)).toEqual({ verified: 2, last: 2 });
    const [next] = await store.commit(NURSE, [update(patient('2', { id: 'a' }))]);
    expect(next).toMatchObject({ versionId: '2' });
  });

  test('is ready while it can write', async () => {
    expect(await temp.store.ready()).toBe(true);
    await temp.store.close();
    await temp.store.close();
    temp.clock.moveTo(temp.clock.now().add({ hours: 1 }));
    const closed = await open(temp.url);
    await closed.close();
    expect(await closed.ready()).toBe(false);
  });

  test('two on one database see one log and number it together', async () => {
    const other = await open(temp.url);
    const commits = Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? temp.store : other).commit(NURSE, [create(patient(String(index)))]),
    );
    await Promise.all(commits);
    const sequences = (await temp.store.readLog(0, 100)).map((entry) => entry.sequence);
    expect(sequences).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(await other.readLog(0, 100)).toEqual(await temp.store.readLog(0, 100));
    expect(await walkTrail(other)).toEqual({ verified: 40, last: 40 });
    const race = [temp.store, other].map((store) => store.commit(NURSE, [update(patient('x', { id: 'x' }))]));
    const outcomes = (await Promise.all(race)).flat();
    expect(outcomes.map((outcome) => outcome.versionId).sort()).toEqual(['1', '2']);
    await other.close();
  });

  test.runIf(testEngine === 'sqlite')('a backup opens as a store', async () => {
    await temp.store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
    const path = join(dirname(temp.path), 'copy.db');
    await temp.store.backup(path);
    await temp.store.commit(NURSE, [update(patient('2', { id: 'a' }))]);
    const copy = await open(`sqlite:${path}`);
    const original = await temp.store.vread('Patient', 'a', '1');
    expect((await copy.read('Patient', 'a'))?.content).toBe(original?.content);
    expect(await walkTrail(copy)).toEqual({ verified: 1, last: 1 });
    await copy.close();
  });

  test.runIf(testEngine === 'sqlite')('a status goes on from where the backup has it', async () => {
    const task = (status: 'requested' | 'completed' | 'draft') =>
      update({ resourceType: 'Task', id: 't', intent: 'order', status });
    await temp.store.commit(NURSE, [task('requested')]);
    const path = join(dirname(temp.path), 'before.db');
    await temp.store.backup(path);
    await temp.store.commit(NURSE, [task('completed')]);
    const restored = await open(`sqlite:${path}`);
    await expect(restored.commit(NURSE, [task('draft')])).rejects.toMatchObject({ kind: 'unprocessable' });
    expect((await restored.commit(NURSE, [task('completed')]))[0]?.status).toBe(200);
    await expect(restored.commit(NURSE, [task('requested')])).rejects.toMatchObject({ kind: 'unprocessable' });
    await restored.close();
  });

  test('of a commit that fails when it has written half of itself nothing stays, and its neighbours do not notice', async () => {
    const note = (words: string, id: string) => update({ ...patient(words, { id }), name: [{ family: words }] });
    const broken = { resourceType: 'Patient', id: 'broken', gender: 'unheard-of' } as never;
    for (const round of [1, 2]) {
      const [before, bad, after] = await Promise.allSettled([
        temp.store.commit(NURSE, [note(`before${round}`, 'before')]),
        temp.store.commit(NURSE, [note(`half${round}`, 'half'), note(`half${round}`, 'before'), update(broken)]),
        temp.store.commit(NURSE, [note(`after${round}`, 'after')]),
      ]);
      expect([before.status, after.status]).toEqual(['fulfilled', 'fulfilled']);
      expect(bad).toMatchObject({ status: 'rejected', reason: { kind: 'unprocessable' } });
      const found = async (query: string) => (await temp.store.find(`Patient?${query}`)).map(({ id }) => id);
      expect(await found(`family=before${round},half${round},after${round}`)).toEqual(['before', 'after']);
      expect(await found(`_content=half${round}`)).toEqual([]);
      expect(await found(`_content=before${round}`)).toEqual(['before']);
    }
    const log = await temp.store.query('SELECT sequence, id FROM version ORDER BY sequence');
    expect(log.map(({ sequence, id }) => `${sequence} ${id}`)).toEqual(['1 before', '2 after', '3 before', '4 after']);
    expect(await temp.store.query("SELECT id FROM audit WHERE id IN ('half', 'broken')")).toEqual([]);
  });

  test('a commit of nothing is nothing', async () => {
    expect(await temp.store.commit(NURSE, [])).toEqual([]);
    expect(await temp.store.query('SELECT * FROM audit')).toEqual([]);
  });
});
