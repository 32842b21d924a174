// Configuration: defaults, refusals with a sentence, and documentation that follows the schema.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configurationTables, replaceGenerated } from '../scripts/docs.ts';
import { ConfigError, describeDatabase, loadConfig } from '../src/config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function withFile(content: unknown, env: Record<string, string> = {}) {
  const path = join(folder, 'baton.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return loadConfig({ BATON_CONFIG: path, ...env });
}

const connected = (more: object) => ({ connections: [{ name: 'a', baseUrl: 'https://x', ...more }] });

describe('issuers', () => {
  const issuer = (more: object) =>
    withFile({ issuers: [{ issuer: 'https://idp.example', audience: 'baton', ...more }] });
  const introspection = (more: object) => ({ introspection: { clientId: 'baton', ...more } });

  test('need nothing but their name and audience', () => {
    expect(issuer({}).issuers).toEqual([
      { issuer: 'https://idp.example', audience: 'baton', userClaim: 'fhirUser', leewaySeconds: 30 },
    ]);
  });

  test('may keep their secret in a file beside the configuration', () => {
    writeFileSync(join(folder, 'secret'), 's3cret\n', { mode: 0o600 });
    const [found] = issuer(introspection({ clientSecretFile: 'secret' })).issuers;
    expect(found?.introspection).toEqual({ clientId: 'baton', clientSecret: 's3cret' });
  });

  test('may be plain http on this machine', () => {
    const local = ['http://localhost:1/x', 'http://127.0.0.1', 'http://[::1]:8080'];
    const config = withFile({ issuers: local.map((name) => ({ issuer: name, audience: 'baton' })) });
    expect(config.issuers).toHaveLength(3);
  });

  test.each([
    [{ issuer: 'http://idp.example' }, 'is not https'],
    [{ issuer: 'http://127.0.0.1.evil.example' }, 'is not https'],
    [{ jwksUrl: 'http://idp.example/jwks' }, 'is not https'],
    [introspection({ clientSecret: 'x', url: 'http://idp.example/i' }), 'is not https'],
    [{ issuer: 'https://idp.example?x=y' }, 'neither ? nor #'],
    [introspection({}), 'needs introspection.clientSecretFile or introspection.clientSecret'],
    [introspection({ clientSecretFile: 'nowhere' }), 'which cannot be read'],
    [
      { ...introspection({ clientSecret: 'x' }), jwksUrl: 'https://idp.example/jwks' },
      'has both jwksUrl and introspection',
    ],
    [{ leewaySeconds: 301 }, 'must be <= 300'],
    [{ audience: '' }, 'must NOT have fewer than 1 characters'],
  ])('%j is refused', (more, sentence) => {
    expect(() => issuer(more)).toThrow(sentence);
  });

  test('are refused twice', () => {
    const twice = { issuer: 'https://idp.example', audience: 'a' };
    expect(() => withFile({ issuers: [twice, twice] })).toThrow('has the issuer "https://idp.example" twice');
  });
});

describe('loadConfig', () => {
  test('starts with nothing set: loopback, SQLite, authentication on, sandbox on', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      mllpPort: 2575,
      auth: 'smart',
      sandbox: true,
      databaseUrl: 'sqlite:./data/baton.db',
      logLevel: 'warn',
    });
  });

  test('a configuration file turns the sandbox off and fills in defaults', () => {
    const config = withFile({
      facilities: [{ code: 'A', name: 'A', zone: 'America/New_York' }],
      connections: [{ name: 'ehr', baseUrl: 'https://ehr.example/R4' }],
    });
    expect(config.sandbox).toBe(false);
    expect(config.facilities[0]?.calendar).toBe('us-federal');
    expect(config.connections[0]).toMatchObject({
      vendor: 'generic',
      mode: 'both',
      auth: { type: 'none' },
      overlapSeconds: 300,
    });
  });

  test('a connection keeps the names of its secrets, not what they name', () => {
    const auth = { type: 'client-secret', clientId: 'b', method: 'client_secret_post', secret: { file: 'x' } };
    const schedule = { pull: '0 3 * * *' };
    const config = withFile(connected({ auth, schedule, patients: { kind: 'group', id: '7' } }), {
      BATON_SECRET_X: 'y',
    });
    expect(config.connections[0]).toMatchObject({ auth, schedule, patients: { kind: 'group', id: '7' } });
  });

  test('limits are high until somebody sets them; origins and proxies are none', () => {
    expect(withFile({ limits: { perAddress: 10, clients: { app: 5 } } })).toMatchObject({
      limits: { perClient: 60_000, perAddress: 10, clients: { app: 5 } },
      corsOrigins: [],
      trustProxy: [],
      tls: undefined,
    });
    expect(loadConfig({ BATON_TRUST_PROXY: '10.0.0.1, fd00::/8' }).trustProxy).toEqual(['10.0.0.1', 'fd00::/8']);
  });

  test('a certificate turns the sandbox off', () => {
    expect(loadConfig({ BATON_TLS_CERT: '/c', BATON_TLS_KEY: '/k' })).toMatchObject({
      sandbox: false,
      tls: { cert: '/c', key: '/k', clientCa: undefined, clientAuth: 'require' },
    });
  });

  test('required profiles are listed by type', () => {
    const BATON_REQUIRED_PROFILES = 'Patient=http://a|7.0.0, Goal=http://b,Patient=http://c';
    expect(loadConfig({ BATON_REQUIRED_PROFILES }).requiredProfiles).toEqual({
      Patient: ['http://a|7.0.0', 'http://c'],
      Goal: ['http://b'],
    });
  });

  test.each([
    [{ BATON_PORT: '80800' }, 'BATON_PORT must be a port number'],
    [{ BATON_PORT: 'http' }, 'BATON_PORT must be a port number'],
    [{ BATON_AUTH: 'none' }, 'BATON_AUTH must be smart or off'],
    [{ BATON_AUTH: 'off', BATON_HOST: '0.0.0.0' }, 'BATON_AUTH=off is refused'],
    [{ BATON_PROT: '1' }, 'Unknown setting BATON_PROT'],
    [{ BATON_BASE_URL: 'baton' }, 'BATON_BASE_URL must be an absolute'],
    [{ BATON_DATABASE_URL: 'mysql://user:secret@host/db' }, 'BATON_DATABASE_URL must be sqlite:PATH'],
    [{ BATON_DATABASE_URL: 'postgres://user:secret@host' }, 'BATON_DATABASE_URL must be sqlite:PATH'],
    [{ BATON_CONFIG: '/nowhere/baton.json' }, 'cannot be read'],
    [{ BATON_REQUIRED_PROFILES: 'Patient' }, 'BATON_REQUIRED_PROFILES must be pairs'],
    [{ BATON_UNKNOWN_PROFILES: 'maybe' }, 'BATON_UNKNOWN_PROFILES must be warn or refuse'],
    [{ BATON_TLS_CERT: '/cert.pem' }, 'TLS needs both'],
    [{ BATON_TLS_CLIENT_CA: '/ca.pem' }, 'TLS needs both'],
    [{ BATON_TLS_CLIENT_AUTH: 'maybe' }, 'BATON_TLS_CLIENT_AUTH must be request or require'],
    [{ BATON_TLS_CLIENT_AUTH: 'request' }, 'needs BATON_TLS_CLIENT_CA'],
    [{ BATON_TLS_CERT: '/c', BATON_TLS_KEY: '/k', BATON_SANDBOX: 'on' }, 'needs BATON_SANDBOX=off'],
    [{ BATON_TRUST_PROXY: '10.0.0.0/33' }, 'BATON_TRUST_PROXY must be addresses'],
    [{ BATON_TRUST_PROXY: '0.0.0.0/0/0' }, 'BATON_TRUST_PROXY must be addresses'],
    [{ BATON_TRUST_PROXY: 'proxy.example' }, 'BATON_TRUST_PROXY must be addresses'],
    [{ BATON_PACKAGE_REGISTRY: 'http://packages.example' }, 'BATON_PACKAGE_REGISTRY must be an https URL'],
  ])('%o is refused with a sentence', (env, sentence) => {
    expect(() => loadConfig(env)).toThrow(ConfigError);
    expect(() => loadConfig(env)).toThrow(sentence);
  });

  test('a refused database URL does not repeat its password', () => {
    expect(() => loadConfig({ BATON_DATABASE_URL: 'postgres://user:secret@host' })).not.toThrow(/secret/);
    expect(() => loadConfig({ BATON_DATABASE_URL: 'mysql://user:secret@host/db' })).not.toThrow(/secret/);
  });

  test('PostgreSQL is named by a URL, which people see without its password', () => {
    const { databaseUrl, dataDir } = loadConfig({
      BATON_DATABASE_URL: 'postgres://user:secret@host:5433/db?sslmode=require',
    });
    expect(describeDatabase(databaseUrl)).toBe('postgres://user@host:5433/db');
    expect(dataDir).toBe(resolve('data'));
    expect(loadConfig({ BATON_DATABASE_URL: databaseUrl, BATON_DATA_DIR: '/keys' }).dataDir).toBe('/keys');
  });

  test.each([
    ['{', 'is not JSON'],
    [{ facility: [] }, '(facility)'],
    [{ corsOrigins: ['https://app.example/'] }, 'corsOrigins must be origins'],
    [{ corsOrigins: ['https://App.example'] }, 'corsOrigins must be origins'],
    [{ corsOrigins: ['null'] }, '/corsOrigins/0'],
    [{ limits: { perClient: 0 } }, '/limits/perClient'],
    [{ limits: { clients: { app: '9' } } }, '/limits/clients/app'],
    [{ audit: { keepDays: 0 } }, '/audit/keepDays'],
    [{ facilities: [{ code: 'A', name: 'A', zone: 'Mars/Base' }] }, 'not an IANA name'],
    [{ connections: [{ name: 'a b', baseUrl: 'https://x' }] }, '/connections/0/name'],
    [connected({ schedule: { sweep: '0 3 * *' } }), 'connection a, schedule.sweep: A schedule has five fields'],
    [connected({ auth: { type: 'token', token: 'written down' } }), '/connections/0/auth/token must be object'],
    [connected({ auth: { type: 'token', token: { env: 'T' } }, baseUrl: 'http://x' }), 'base URL must be https'],
    [connected({ types: { Subscription: 'both' } }), 'Subscription does not flow'],
    [connected({ types: { AuditEvent: 'pull' } }), 'AuditEvent does not flow'],
    [connected({ tls: { cert: { file: 'c' } } }), '/connections/0/tls'],
    [
      {
        connections: [
          { name: 'a', baseUrl: 'https://x' },
          { name: 'a', baseUrl: 'https://y' },
        ],
      },
      'twice',
    ],
  ])('file %o is refused with a sentence', (content, sentence) => {
    expect(() => withFile(content)).toThrow(sentence);
  });
});

describe('clients and login', () => {
  const jwks = { keys: [{ kty: 'EC', crv: 'P-384', x: 'x', y: 'y' }] };

  test('a backend service needs no more than it did before there were applications', () => {
    const { clients, login } = withFile({ clients: [{ clientId: 'ehr', scope: 'system/*.rs', jwks }] });
    expect(clients).toMatchObject([{ clientId: 'ehr', name: 'ehr', redirectUris: [], trusted: false, jwks }]);
    expect(login).toBeUndefined();
  });

  test('secrets come from files', () => {
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, 'a secret of more than enough characters\n', { mode: 0o600 });
    const app = { clientId: 'app', scope: 'patient/*.rs', redirectUris: ['https://app.example/cb'], secretFile };
    const site = { issuer: 'https://login.example', clientId: 'baton', clientSecretFile: secretFile };
    const { clients, login } = withFile({ clients: [app], login: site });
    expect(JSON.stringify(clients)).not.toContain('more than enough');
    expect(login).toMatchObject({ claim: 'fhirUser', clientSecret: 'a secret of more than enough characters' });
  });

  test.each([
    ['redirect URI', { redirectUris: ['http://app.example/cb'] }],
    ['can do nothing', {}],
    ['is confidential', { type: 'confidential', redirectUris: ['https://app.example/cb'] }],
  ])('what cannot work stops the start: %s', (sentence, more) => {
    const clients = [{ clientId: 'app', scope: 'patient/*.rs', ...more }];
    expect(() => withFile({ clients })).toThrow(ConfigError);
    expect(() => withFile({ clients })).toThrow(sentence);
  });

  test('two clients of one id, or a login without a secret, do too', () => {
    const client = { clientId: 'ehr', scope: 'system/*.rs', jwks };
    expect(() => withFile({ clients: [client, client] })).toThrow('the client "ehr" twice');
    expect(() => withFile({ login: { issuer: 'https://login.example', clientId: 'baton' } })).toThrow('clientSecret');
  });
});

test('the example of docs/follow-ups.md is a configuration', () => {
  const page = readFileSync(new URL('../docs/follow-ups.md', import.meta.url), 'utf8');
  const example = /```json\n([\s\S]+?)```/.exec(page)?.[1] ?? '';
  writeFileSync(join(folder, 'smtp.secret'), 'word', { mode: 0o600 });
  writeFileSync(join(folder, 'pager.secret'), `whsec_${'a'.repeat(32)}`, { mode: 0o600 });
  const { notify } = withFile(example);
  expect(notify.channels.map(({ name, attempts }) => [name, attempts])).toEqual([
    ['mail', 5],
    ['pager', 5],
  ]);
  expect(notify.routes).toHaveLength(1);
});

test('the README carries the tables that the schema gives', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(replaceGenerated(readme, configurationTables())).toBe(readme);
});
