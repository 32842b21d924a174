// Keys are made once, stay the same, and nobody else on the machine can read them.
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, compactVerify, importJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

describe('a file of before the authorization server', () => {
  const path = () => join(directory, 'keys.json');
  const makeOld = async () => {
    await openKeys(directory);
    const { idToken: _, cookieSecret: __, ...old } = JSON.parse(await readFile(path(), 'utf8'));
    await writeFile(path(), JSON.stringify(old), { mode: 0o600 });
    return old;
  };

  it('keeps its keys and gets the new ones, once', async () => {
    const old = await makeOld();
    const first = await openKeys(directory);
    const second = await openKeys(directory);
    expect(second).toEqual(first);
    expect(JSON.parse(await readFile(path(), 'utf8'))).toMatchObject(old);
    expect(await readdir(directory)).toEqual(['keys.json']);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  it('gets the same keys from processes that start together', async () => {
    await makeOld();
    const opened = await Promise.all([1, 2, 3, 4].map(() => openKeys(directory)));
    expect(new Set(opened.map(({ cookieSecret }) => cookieSecret)).size).toBe(1);
    expect(new Set(opened.map(({ idToken }) => idToken.kid)).size).toBe(1);
    const { cookieSecret } = await openKeys(directory);
    expect(opened[0]?.cookieSecret).toBe(cookieSecret);
    expect(await readdir(directory)).toEqual(['keys.json']);
  });

  it('is completed with what a process that died meanwhile had chosen', async () => {
    await makeOld();
    const chosen = { idToken: JSON.parse(await readFile(join(await whole(), 'keys.json'), 'utf8')).idToken };
    await writeFile(join(directory, '.keys.json.added'), JSON.stringify({ ...chosen, cookieSecret: 'chosen' }));
    expect((await openKeys(directory)).cookieSecret).toBe('chosen');
    expect(await readdir(directory)).toEqual(['keys.json']);
  });

  /** A folder with a complete file. */
  async function whole(): Promise<string> {
    const other = join(directory, '../other');
    await openKeys(other);
    return other;
  }
});

it('refuses a file that others can read', async () => {
  await openKeys(directory);
  await chmod(join(directory, 'keys.json'), 0o644);
  await expect(openKeys(directory)).rejects.toThrow('chmod 600');
});

it('publishes no private part', async () => {
  const { jwks } = await openKeys();
  expect(jwks.keys.map((key) => key.alg)).toEqual(['ES384', 'ES384', 'RS384', 'RS256']);
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
