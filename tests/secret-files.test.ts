// Secrets from files: read once, trimmed, private; and none of them shows anywhere.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../src/config.ts';
import { readSecret, withSecretMembers } from '../src/secret-files.ts';
import { makeCertificate } from './support/certificate.ts';

const SECRET = 'open-sesame-4711';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-secret-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string, mode = 0o600): string {
  const path = join(folder, `secret-${mode.toString(8)}`);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe('a secret in a file', () => {
  it.each(['', '\n', '\r\n'])('is read without the line end %j', (end) => {
    expect(readSecret(file(`${SECRET} ${end}`), 'x')).toBe(`${SECRET} `);
  });

  it('may be read by its group, as orchestrators mount it, but not by everybody', () => {
    expect(readSecret(file(SECRET, 0o440), 'x')).toBe(SECRET);
    for (const mode of [0o644, 0o604, 0o602]) {
      expect(() => readSecret(file(SECRET, mode), 'BATON_X_FILE')).toThrow(/BATON_X_FILE names .*chmod 640/);
    }
  });

  it('must be there and have something in it', () => {
    expect(() => readSecret(join(folder, 'none'), 'BATON_X_FILE')).toThrow(/BATON_X_FILE names .*ENOENT/);
    expect(() => readSecret(file('\n'), 'BATON_X_FILE')).toThrow(/is empty/);
  });
});

describe('the environment', () => {
  it('takes the database URL from a file', () => {
    const url = `postgres://baton:${SECRET}@db/baton`;
    expect(loadConfig({ BATON_DATABASE_URL_FILE: file(`${url}\n`) }).databaseUrl).toBe(url);
  });

  it('does not take both, nor files for what is no secret', () => {
    const BATON_DATABASE_URL_FILE = file('sqlite::memory:');
    expect(() => loadConfig({ BATON_DATABASE_URL_FILE, BATON_DATABASE_URL: 'sqlite::memory:' })).toThrow('both set');
    expect(() => loadConfig({ BATON_PORT_FILE: file('1') })).toThrow('Unknown setting BATON_PORT_FILE');
  });
});

describe('the configuration file', () => {
  it('takes secrets at any depth from files beside it', () => {
    file(`${SECRET}\n`);
    const value = {
      clients: [{ clientId: 'a', clientSecretFile: 'secret-600' }],
      a: { b: { passwordFile: 'secret-600' } },
    };
    expect(withSecretMembers(value, folder)).toEqual({
      clients: [{ clientId: 'a', clientSecret: SECRET }],
      a: { b: { password: SECRET } },
    });
    expect(value.clients[0]).toHaveProperty('clientSecretFile');
  });

  it('names the member that is wrong', () => {
    const both = { clients: [{ secret: 'a', secretFile: 'b' }] };
    expect(() => withSecretMembers(both, folder)).toThrow(
      new ConfigError('/clients/0 has both secret and secretFile; keep one of them.'),
    );
    expect(() => withSecretMembers({ a: { secretFile: 'none' } }, folder)).toThrow(/\/a\/secretFile names .*none/);
  });
});

describe('no secret shows', () => {
  const run = async (script: readonly string[], env: Record<string, string>) => {
    const options = {
      cwd: join(import.meta.dirname, '..'),
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        BATON_LOG_LEVEL: 'trace',
        ...env,
      },
    };
    const ended = promisify(execFile)(process.execPath, [...script], options);
    const { stdout, stderr } = await ended.catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  };

  it.each([
    ['doctor', ['src/cli.ts', 'doctor']],
    ['the start', ['src/main.ts']],
  ])('when the database cannot be reached: %s', async (_, script) => {
    const url = `postgres://baton:${SECRET}@127.0.0.1:1/baton`;
    const said = await run(script, { BATON_DATABASE_URL_FILE: file(url), BATON_DATA_DIR: folder });
    expect(said).toMatch(/\w/);
    expect(said).not.toContain(SECRET);
  });

  it('when a setting is wrong', async () => {
    const wrong: Record<string, string>[] = [
      { BATON_DATABASE_URL: `postgres://baton:${SECRET}@` },
      { BATON_DATABASE_URL: `postgre://baton:${SECRET}@host/db` },
      { BATON_DATABASE_URL: `postgres://baton:${SECRET}@host/db?sslmode=sometimes`, BATON_DATA_DIR: folder },
      {
        BATON_DATABASE_URL: `postgres://baton:${SECRET}@host/db?sslmode=verify-full&sslrootcert=/none`,
        BATON_DATA_DIR: folder,
      },
    ];
    for (const env of wrong) {
      const said = await run(['src/main.ts'], env);
      expect(said).toContain('Baton cannot start');
      expect(said).not.toContain(SECRET);
    }
  });

  it('when the key of the certificate is not good', async () => {
    const { cert } = makeCertificate('baton');
    const BATON_TLS_CERT = file(cert, 0o644);
    const BATON_TLS_KEY = file(`-----BEGIN PRIVATE KEY-----\n${btoa(SECRET)}\n-----END PRIVATE KEY-----\n`);
    const said = await run(['src/main.ts'], { BATON_TLS_CERT, BATON_TLS_KEY, BATON_DATABASE_URL: 'sqlite::memory:' });
    expect(said).toContain('Baton cannot start');
    expect(said).not.toContain(btoa(SECRET));
  });
});
