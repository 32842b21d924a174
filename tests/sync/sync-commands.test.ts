// What people at a terminal see and do: conflicts, messages, replay, preview.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Task } from '@medplum/fhirtypes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SYNC_COMMANDS, type SyncOptions } from '../../src/sync-commands.ts';
import { NURSE, openWorld, patient, task, type World } from '../support/sync-world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
  await world.write(patient('p1'));
  await world.write(task('t1'));
  await world.sync.pushNow();
});
afterEach(() => world.cleanup());

const there = () => world.remote.all('Task')[0] as Task & { id: string };

/** Runs a command line as cli.ts does; resolves to what it printed. */
async function baton(line: string, options: SyncOptions = {}): Promise<string> {
  const command = SYNC_COMMANDS.find(({ words }) => `${line} `.startsWith(`${words} `));
  if (!command) throw new Error(`no command: ${line}`);
  const printed: string[] = [];
  const parts = {
    sync: world.sync,
    store: world.temp.store,
    actor: NURSE,
    print: (text: string) => printed.push(text),
  };
  await command.run(parts, line.split(' ').slice(command.words.split(' ').length), options);
  return printed.join('\n');
}

async function disagree(): Promise<string> {
  world.remote.put({ ...there(), owner: { display: 'Theirs' } });
  await world.write(task('t1', { owner: { display: 'Ours' }, priority: 'urgent' }));
  await world.sync.pullNow();
  return String((await world.sync.conflicts())[0]?.id);
}

test('a conflict is listed, read, tried and decided', async () => {
  const id = await disagree();
  for (const line of ['conflicts', 'conflicts list ehr'])
    expect(await baton(line)).toMatch(`${id}  ehr  Task/t1  content`);
  const shown = await baton(`conflicts show ${id}`);
  expect(shown).toContain('! owner   changed by both: review (owner)');
  expect(shown).toContain('    theirs    {"display":"Theirs"}');
  expect(shown).toContain('    Both sides changed it, and the policy leaves owner to a person.');
  expect(shown).toContain('  priority   changed by ours: only-change');
  expect(await baton(`conflicts resolve ${id}`, { take: 'theirs', 'dry-run': true })).toContain('here   would-update');
  await expect(baton(`conflicts resolve ${id}`)).rejects.toThrow('Say --take');
  await expect(baton('conflicts show')).rejects.toThrow('by its id');
  await world.write(task('t1', { owner: { display: 'Ours, later' } }));
  await expect(baton(`conflicts resolve ${id}`, { take: 'proposed' })).rejects.toThrow('look again');
  const [, seen] = /--seen (\w+)/.exec(await baton(`conflicts show ${id}`)) ?? [];
  expect(await baton(`conflicts resolve ${id}`, { take: 'proposed', seen, 'dry-run': true })).toContain('here   ');
  const file = join(dirname(world.temp.path), 'edited.json');
  await writeFile(file, JSON.stringify({ ...task('t1'), owner: { display: 'Both' } }));
  expect(await baton(`conflicts resolve ${id}`, { file, seen })).toContain('is resolved: edited');
  await world.sync.pushNow();
  expect(there().owner).toEqual({ display: 'Both' });
  expect(await baton('conflicts')).toBe('');
});

test('the file of an edited conflict that is not there, or no JSON, is said to be that', async () => {
  const id = await disagree();
  const [missing, broken] = ['missing.json', 'broken.json'].map((name) => join(dirname(world.temp.path), name));
  await expect(baton(`conflicts resolve ${id}`, { file: missing })).rejects.toThrow(`There is no file ${missing}.`);
  await writeFile(String(broken), '{"resourceType":');
  await expect(baton(`conflicts resolve ${id}`, { file: broken })).rejects.toThrow('cannot be read as JSON');
  const folder = dirname(world.temp.path);
  await expect(baton(`conflicts resolve ${id}`, { file: folder })).rejects.toThrow(`${folder} cannot be read.`);
});

test('conflicts of a connection that there is not are an error that says what there is', async () => {
  for (const line of ['conflicts typo', 'conflicts list typo']) {
    await expect(baton(line)).rejects.toThrow('There is no connection "typo". There is: ehr.');
  }
  await expect(baton('conflicts resovle 1')).rejects.toThrow('no connection "resovle"');
  await expect(baton('conflicts typo')).rejects.toThrow('list, show, resolve');
  expect(await baton('conflicts ehr')).toBe('');
});

test('messages are found and shown, and replayed one by one or by filter', async () => {
  const line = await baton('messages type=Task direction=push');
  expect(line).toMatch(/ehr {2}push {2}Task\/t1 {2}POST 201 {2}created {2}success/);
  const [id = ''] = line.split(' ');
  expect(JSON.parse(await baton(`messages show ${id}`))).toMatchObject({ id, method: 'POST' });
  expect(await baton(`replay ${id}`)).toBe(`${id}  Task/t1  unchanged`);
  await world.write(task('t1', { priority: 'stat' }));
  const tried = await baton('replay type=Task method=POST', { 'dry-run': true });
  expect(tried).toContain('would-update');
  expect(tried).toContain('      + "stat"');
  expect(there().priority).toBeUndefined();
  expect(await baton('replay type=Task method=POST')).toContain('updated');
  expect(there().priority).toBe('stat');
  expect(await baton('replay type=Nothing')).toBe('No message matches.');
  await expect(baton('replay')).rejects.toThrow('Name a message');
  await expect(baton('replay x', { from: 'elsewhere' })).rejects.toThrow('--from');
  expect(await baton('messages connection=ehr status=418')).toBe('No message matches.');
  expect(await baton('messages connection=typo')).toBe('No message matches. There is no connection "typo".');
  await expect(baton('messages nonsense')).rejects.toThrow('name=value');
  await expect(baton('messages', { limit: '0' })).rejects.toThrow('--limit');
});

test('a preview says what would be sent and which policy decides', async () => {
  world.remote.put({ ...there(), priority: 'stat' });
  await world.write(task('t1', { priority: 'urgent' }));
  const shown = await baton('preview ehr Task/t1');
  expect(shown).toContain(`Task/t1, there Task/${there().id}: would-update`);
  expect(shown).toContain('  priority   changed by both: ours (priority)');
  expect(shown).toContain('"priority": "urgent"');
  await expect(baton('preview ehr')).rejects.toThrow('Name the connection');
});

test('what a person does at a terminal is in the audit trail, lists and tries included', async () => {
  const id = await disagree();
  await baton('conflicts');
  await baton('conflicts list ehr');
  await baton(`conflicts show ${id}`);
  await baton('messages type=Task direction=push');
  await baton(`conflicts resolve ${id}`, { take: 'ours', 'dry-run': true });
  await baton(`conflicts resolve ${id}`, { take: 'ours' });
  await world.write(task('t2'));
  const rows = await world.temp.store.query(
    "SELECT interaction, action, actor, id, query FROM audit WHERE interaction LIKE 'ops-%' ORDER BY sequence",
  );
  const by = { actor: NURSE.reference, id: null, query: null };
  expect(rows).toEqual([
    { ...by, interaction: 'ops-conflicts', action: 'R' },
    { ...by, interaction: 'ops-conflicts', action: 'R', query: 'connection=ehr' },
    { ...by, interaction: 'ops-conflict', action: 'R', id },
    { ...by, interaction: 'ops-messages', action: 'R', query: 'type=Task&direction=push' },
    { ...by, interaction: 'ops-resolve', action: 'E', id },
    { ...by, interaction: 'ops-resolve', action: 'E', id },
  ]);
});
