// What `baton sync push` and `sync pull` say and with what outcome they end.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SYNC_NOW_COMMANDS } from '../../src/sync-now-commands.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.write(task('t1'));
});
afterEach(() => world.cleanup());

/** Runs a command line as cli.ts does. */
async function baton(line: string): Promise<{ readonly good: boolean; readonly said: string }> {
  const command = SYNC_NOW_COMMANDS.find(({ words }) => `${line} `.startsWith(`${words} `));
  if (!command) throw new Error(`no command: ${line}`);
  const printed: string[] = [];
  const parts = {
    sync: world.sync,
    audit: world.temp.store.audit.bind(world.temp.store),
    actor: NURSE,
    now: () => Temporal.Now.instant(),
    print: (text: string) => printed.push(text),
  };
  const good = await command.run(parts, line.split(' ').slice(2));
  return { good, said: printed.join('\n') };
}

test('a push and a pull say in a sentence what came of them', async () => {
  expect(await baton('sync push ehr')).toEqual({ good: true, said: 'ehr  All that is due is there.' });
  const { good, said } = await baton('sync pull');
  expect(good).toBe(true);
  expect(said).toMatch(/^ehr {2}\d+ types were read; 2 resources are linked\.$/);
});

test('a server that does not answer as it should is no success', async () => {
  await baton('sync push ehr');
  world.remote.knobs.refusals = Array.from({ length: 60 }, () => ({ status: 503 }));
  for (const line of ['sync pull ehr', 'sync pull']) {
    const { good, said } = await baton(line);
    expect(good).toBe(false);
    expect(said).toContain('ehr  The server does not answer as it should.');
    expect(said).toContain('`baton messages connection=ehr` says why');
  }
});

test('what the server refused is no success until somebody has put it right or given it up', async () => {
  const diagnostics = JSON.stringify({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'error', code: 'invalid' }],
  });
  await baton('sync push ehr');
  await world.write(task('t1', { priority: 'urgent' }));
  world.remote.knobs.refusals = [{ status: 422, body: diagnostics }];
  for (const line of ['sync push ehr', 'sync push']) {
    const { good, said } = await baton(line);
    expect([good, said]).toEqual([
      false,
      'ehr  Pushed; 1 was refused (`baton messages connection=ehr class=permanent`).',
    ]);
  }
  const [row] = await world.temp.store.query("SELECT id FROM outbox WHERE state = 'rejected'");
  await world.sync.reject(NURSE, String(row?.id), 'not needed');
  expect((await baton('sync push ehr')).good).toBe(true);
});

test('what the mode does not do is said, and is no success when it was asked for by name', async () => {
  await world.sync.connections.patch(NURSE, 'ehr', { mode: 'pull' });
  expect(await baton('sync push ehr')).toEqual({ good: false, said: 'ehr  The mode is pull: nothing was sent.' });
  expect((await baton('sync push')).good).toBe(true);
});

test('one connection or all of them; whoever pushes is in the audit trail', async () => {
  await expect(baton('sync pull typo')).rejects.toThrow('no connection "typo"');
  await expect(baton('sync pull ehr more')).rejects.toThrow('not "more"');
  await baton('sync push ehr');
  await world.write(task('t2'));
  const rows = await world.temp.store.query("SELECT interaction, id FROM audit WHERE interaction LIKE 'ops-%'");
  expect(rows).toEqual([{ interaction: 'ops-push', id: 'ehr' }]);
});
