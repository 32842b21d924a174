// Keys are made once, stay the same, and nobody else on the machine can read them.
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, compactVerify, importJWK } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openKeys } from '../../src/access/keys.ts';

let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'baton-keys-')), 'data');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

it('makes the directory and one file that only its owner can read', async () => {
  await openKeys(directory);
  expect(await readdir(directory)).toEqual(['keys.json']);
  expect((await stat(join(directory, 'keys.json'))).mode & 0o777).toBe(0o600);
});

it('opens the same keys again', async () => {
  const first = await openKeys(directory);
  const second = await openKeys(directory);
  expect(second.jwks).toEqual(first.jwks);
});

it('gives processes that start together the same keys', async () => {
  const opened = await Promise.all([1, 2, 3].map(() => openKeys(directory)));
  expect(new Set(opened.map(({ token }) => token.keyId)).size).toBe(1);
  expect(await readdir(directory)).toEqual(['keys.json']);
});

it('refuses a file that others can read', async () => {
  await openKeys(directory);
  await chmod(join(directory, 'keys.json'), 0o644);
  await expect(openKeys(directory)).rejects.toThrow('chmod 600');
});

it('publishes no private part', async () => {
  const { jwks } = await openKeys();
  expect(jwks.keys.map((key) => key.alg)).toEqual(['ES384', 'ES384', 'RS384']);
  expect(JSON.stringify(jwks)).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
});

it.each(['ES384', 'RS384'] as const)('has a %s client key whose published half verifies what it signs', async (alg) => {
  const keys = await openKeys();
  const { kid, ...jwk } = keys.client[alg];
  const key = await importJWK(jwk, alg);
  const jws = await new CompactSign(new Uint8Array([1])).setProtectedHeader({ alg, kid }).sign(key);
  const published = keys.jwks.keys.find((candidate) => candidate.kid === kid);
  await expect(compactVerify(jws, published ?? {})).resolves.toBeDefined();
});
