// `baton connect` as a person runs it, with a configuration file, secrets in files, and a server that is there.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { runBaton, startBaton, type Told } from '../support/baton-command.ts';
import { makeCertificate } from '../support/certificate.ts';
import { type FakeRemote, startFakeRemote } from '../support/fake-remote.ts';
import { startTlsFront, type TlsFront } from '../support/tls-front.ts';

let folder: string;
let remote: FakeRemote;
let front: TlsFront;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-connect-'));
  remote = await startFakeRemote({ requireToken: { keys: [] } });
  remote.tokens.accepted.add('a-token');
  remote.now = Temporal.Now.instant().epochMilliseconds;
  const authority = makeCertificate('authority');
  const server = makeCertificate('server', authority);
  const ours = makeCertificate('ours', authority);
  front = await startTlsFront(remote.baseUrl, {
    ...{ cert: server.cert, key: server.key, ca: authority.cert },
    requestCert: true,
    rejectUnauthorized: true,
  });
  keep('token', 'a-token\n');
  keep('cert.pem', ours.cert);
  keep('key.pem', ours.key);
  keep('ca.pem', authority.cert);
  const common = { vendor: 'hapi', types: { Task: 'both' } };
  const token = { type: 'token', token: { file: 'token' } };
  const tls = { cert: { file: 'cert.pem' }, key: { file: 'key.pem' }, ca: { file: 'ca.pem' } };
  const connections = [
    { name: 'good', baseUrl: `${front.origin}/fhir`, auth: token, tls, ...common },
    { name: 'bare', baseUrl: `${front.origin}/fhir`, auth: token, tls: { ca: tls.ca }, ...common },
    { name: 'bad', baseUrl: `${front.origin}/fhir`, auth: { type: 'token', token: { env: 'EHR_TOKEN' } }, ...common },
  ];
  keep('baton.json', JSON.stringify({ connections }));
});
afterAll(async () => {
  await front.close();
  await remote.close();
  rmSync(folder, { recursive: true, force: true });
});

const keep = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 });

const told = (words: readonly string[]): Told => ({
  words,
  settings: {
    BATON_CONFIG: join(folder, 'baton.json'),
    BATON_LOG_LEVEL: 'error',
    BATON_DATABASE_URL: `sqlite:${join(folder, 'baton.db')}`,
  },
});

const baton = (...words: string[]) => runBaton(told(words));

describe('baton connect', () => {
  test('check says what works, and exits with 0', async () => {
    const { code, out } = await startBaton(told(['connect', 'check', 'good']));
    expect(out).toMatch(/^ok {4}tls {7}TLSv1\.3; .* Ours is shown\.$/m);
    expect(out).toMatch(/^ok {4}token {5}The token of the connection is sent\.$/m);
    expect(out).toMatch(/^ok {4}both {6}Task can be read by what changed since the last time, can be written\.$/m);
    expect(out).toMatch(/^This connection can be used\.$/m);
    expect(out).not.toContain('a-token');
    expect(code).toBe(0);
    expect(remote.writes()).toEqual([]);
  });

  test('check says what does not, and exits with 1', async () => {
    const { code, out } = await baton('connect', 'check', 'bad');
    expect(out).toMatch(/^BAD {3}settings {2}The environment variable EHR_TOKEN, .* is not set\.$/m);
    expect(code).toBe(1);
    const unknown = await baton('connect', 'check', 'none');
    expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('There is no connection "none".') });
  });

  test('check says which certificate a server may miss that breaks off after the handshake', async () => {
    const { code, out } = await baton('connect', 'check', 'bare');
    expect(out).toMatch(/^BAD {3}http {6}No answer: .* certificate of ours[:;] set tls\.cert and tls\.key\.$/m);
    expect(code).toBe(1);
  });

  test('mode turns a connection off for good, list shows it', async () => {
    expect((await baton('connect', 'mode', 'good', 'off')).out).toBe('good is off.\n');
    expect((await baton('connect', 'mode', 'good', 'sometimes')).err).toContain('mode must be off, dry-run');
    const { out } = await baton('connect', 'list');
    expect(out).toContain(`good  off  hapi  ${front.origin}/fhir  configuration file`);
    expect(out).toContain('bad  both  hapi');
  });
});

describe('secrets that connections name', () => {
  const reader = (more: Record<string, string> = {}) =>
    loadConfig({ BATON_CONFIG: join(folder, 'baton.json'), OTHER: 'x', BATON_SECRET_EHR: 'y', ...more }).readSecret;

  test('of the configuration file may be anywhere', () => {
    expect(reader()({ file: 'token' }, 'file')).toBe('a-token');
    expect(reader()({ file: join(folder, 'token') }, 'file')).toBe('a-token');
    expect(reader()({ env: 'OTHER' }, 'file')).toBe('x');
    expect(() => reader()({ file: 'nowhere' }, 'file')).toThrow('cannot be read');
    expect(() => reader()({ env: 'NOWHERE' }, 'file')).toThrow('NOWHERE, which holds a secret');
  });

  test('of /ops may only be what the administrator of the machine set aside', () => {
    const inside = join(folder, 'set-aside');
    mkdirSync(inside);
    writeFileSync(join(inside, 'ours'), 'z', { mode: 0o600 });
    symlinkSync(join(folder, 'token'), join(inside, 'link'));
    const read = reader({ BATON_SECRETS_DIR: inside });
    expect(read({ env: 'BATON_SECRET_EHR' }, 'ops')).toBe('y');
    expect(read({ file: 'ours' }, 'ops')).toBe('z');
    expect(read({ file: join(inside, 'ours') }, 'ops')).toBe('z');
    for (const secret of [{ env: 'OTHER' }, { file: '../token' }, { file: join(folder, 'token') }, { file: 'link' }]) {
      expect(() => read(secret, 'ops')).toThrow(/may only name/);
    }
    expect(() => reader()({ file: 'ours' }, 'ops')).toThrow('BATON_SECRETS_DIR');
    expect(() => read({ file: 'missing' }, 'ops')).toThrow('cannot be read');
  });
});
