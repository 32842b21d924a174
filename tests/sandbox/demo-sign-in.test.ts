// The sandbox has somebody to sign in as: with a password that nobody could know, kept where only its owner can read it.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDemoSignIn } from '../../src/sandbox/demo-sign-in.ts';
import { openWorld, type World } from '../server/oauth/world.ts';

let world: World;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'baton-demo-'));
  world = await openWorld();
});
afterEach(async () => {
  await world.close();
  await rm(directory, { recursive: true });
});

const open = (folder: string | undefined) => openDemoSignIn(world.authorization, world.temp.store, folder);

it('makes a user and two applications once, and the file says the password', async () => {
  const { lines } = await open(directory);
  const path = join(directory, 'sandbox-sign-in.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const secrets = JSON.parse(await readFile(path, 'utf8'));
  expect(lines.join('\n')).toContain(path);
  expect(lines.join('\n')).not.toContain(secrets.password);
  await open(directory);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(secrets);
  const { accounts, clients } = world.authorization;
  expect(await accounts.verify('demo', secrets.password)).toMatchObject({ fhirUser: 'Practitioner/sandbox-demo' });
  expect(await clients.find('demo-public')).not.toHaveProperty('secretHash');
  expect(await clients.find('demo-confidential')).toHaveProperty('secretHash');
});

it('makes another password when the file is gone, and says it when there is no folder', async () => {
  await open(directory);
  const old = JSON.parse(await readFile(join(directory, 'sandbox-sign-in.json'), 'utf8'));
  const { lines } = await open(undefined);
  const password = /password (\S+)\.$/.exec(lines.at(-1) ?? '')?.[1] ?? '';
  const { accounts } = world.authorization;
  expect(await accounts.verify('demo', old.password)).toBeUndefined();
  expect(await accounts.verify('demo', password)).toBeDefined();
});
