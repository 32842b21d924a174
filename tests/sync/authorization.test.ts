// How a connection proves who it is: each kind against a server that asks for it, with and without certificates.
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import { Fault } from '../../src/fault.ts';
import type { AssertionAlgorithm, SigningKey } from '../../src/remote/authorization.ts';
import type { NamedSecret } from '../../src/remote/named-secret.ts';
import type { Connection } from '../../src/sync/connections/settings.ts';
import { makeCertificate } from '../support/certificate.ts';
import { startFakeRemote } from '../support/fake-remote.ts';
import type { Knobs } from '../support/fake-remote-knobs.ts';
import { openWorld, patient, type World } from '../support/sync-world.ts';
import { startTlsFront } from '../support/tls-front.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Secrets by name, which a test can replace. */
const secrets = new Map<string, string>();
function readSecret(secret: NamedSecret): string {
  const name = 'env' in secret ? secret.env : secret.file;
  const value = secrets.get(name);
  if (value === undefined) throw new Fault('unavailable', `The environment variable ${name} is not set.`);
  return value;
}

async function open(connection: Partial<Connection>, knobs: Partial<Knobs>, more: object = {}): Promise<World> {
  const world = await openWorld({ knobs, connection, sync: () => ({ readSecret, ...more }) });
  closing.push(() => world.cleanup());
  await world.write(patient('p1'));
  return world;
}

const NOBODY = { keys: [] };

async function key(alg: AssertionAlgorithm) {
  const pair = await generateKeyPair(alg, { extractable: true });
  const signing = { ...(await exportJWK(pair.privateKey)), alg, kid: alg } as SigningKey;
  return {
    signing,
    published: { ...(await exportJWK(pair.publicKey)), kty: alg === 'RS384' ? 'RSA' : 'EC', alg, kid: alg },
  };
}

describe('client secret', () => {
  const secret = 'a:b c/ü+%';
  const auth = (method: 'client_secret_basic' | 'client_secret_post') =>
    ({ type: 'client-secret', clientId: 'bat:on', scope: 'system/*.cruds', method, secret: { env: 'S' } }) as const;

  test('in the header, whatever characters are in it', async () => {
    secrets.set('S', secret);
    const seen: (string | undefined)[] = [];
    const world = await open(
      { auth: auth('client_secret_basic') },
      {
        requireToken: NOBODY,
        acceptClient(form, authorization) {
          seen.push(authorization, form.get('client_secret') ?? undefined, form.get('scope') ?? undefined);
          return true;
        },
      },
    );
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
    const [header = '', inForm, scope] = seen;
    const pair = Buffer.from(header.replace('Basic ', ''), 'base64').toString().split(':');
    expect(pair.map((part) => new URLSearchParams(`x=${part}`).get('x'))).toEqual(['bat:on', secret]);
    expect([inForm, scope]).toEqual([undefined, 'system/*.cruds']);
  });

  test('in the form', async () => {
    secrets.set('S', secret);
    const world = await open(
      { auth: auth('client_secret_post') },
      {
        requireToken: NOBODY,
        acceptClient: (form, authorization) =>
          authorization === undefined && form.get('client_id') === 'bat:on' && form.get('client_secret') === secret,
      },
    );
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
  });

  test('that is missing leaves everything in its place, and says which; it goes on when it is there', async () => {
    secrets.delete('S');
    const world = await open({ auth: auth('client_secret_post') }, { requireToken: NOBODY, acceptClient: () => true });
    await world.sync.pushNow();
    expect(world.remote.tokens.asked).toBe(0);
    expect((await world.sync.status())[0]).toMatchObject({ breaker: { state: 'open' }, outbox: { queued: 1 } });
    const details = await world.temp.store.query('SELECT detail FROM message');
    expect(details).toEqual([{ detail: 'The environment variable S is not set.' }]);
    secrets.set('S', secret);
    world.pass({ minutes: 1 });
    await world.sync.pushNow();
    expect((await world.sync.status())[0]?.outbox).toMatchObject({ sent: 1 });
  });

  test('never follows a redirect of the token endpoint', async () => {
    secrets.set('S', secret);
    const thief = await startFakeRemote();
    closing.push(() => thief.close());
    const tokenRedirect = thief.baseUrl.replace('/fhir', '/token');
    const world = await open({ auth: auth('client_secret_post') }, { requireToken: NOBODY, tokenRedirect });
    await world.sync.pushNow();
    expect(world.remote.tokens.asked).toBe(1);
    expect(thief.tokens.asked).toBe(0);
    expect(world.remote.all('Patient')).toHaveLength(0);
  });
});

test('a static token is sent, and read again when it is refused', async () => {
  secrets.set('T', 'old');
  const world = await open({ auth: { type: 'token', token: { file: 'T' } } }, { requireToken: NOBODY });
  world.remote.tokens.accepted.add('old');
  await world.sync.pushNow();
  expect(world.remote.all('Patient')).toHaveLength(1);
  world.remote.tokens.accepted.clear();
  world.remote.tokens.accepted.add('new');
  secrets.set('T', 'new');
  await world.write(patient('p2'));
  await world.sync.pushNow();
  expect(world.remote.all('Patient')).toHaveLength(2);
  expect((await world.sync.status())[0]?.breaker.state).toBe('closed');
});

describe('assertions', () => {
  const auth = { type: 'smart-backend', clientId: 'baton', scope: 'system/*.cruds' } as const;

  test.each([
    ['as the connection says', { algorithm: 'RS384' }, ['ES384', 'RS384'], 'RS384'],
    ['as the connection says', { algorithm: 'ES384' }, ['RS384'], 'ES384'],
    ['as the server lists', {}, ['RS384'], 'RS384'],
    ['by ES384 otherwise', {}, ['RS384', 'ES384'], 'ES384'],
  ] as const)('are signed %s: %j, %j', async (_, more, algorithms, expected) => {
    const [es, rs] = await Promise.all([key('ES384'), key('RS384')]);
    const right = expected === 'ES384' ? es : rs;
    const keys = { ES384: es.signing, RS384: rs.signing };
    const knobs = { requireToken: { keys: [right.published] }, algorithms: [...algorithms] };
    const world = await open({ auth: { ...auth, ...more } }, knobs, { keys });
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
  });
});

describe('mutual TLS', () => {
  const authority = makeCertificate('authority');
  const server = makeCertificate('server', authority);
  const ours = makeCertificate('ours', authority);
  const tls = { cert: { file: 'cert' }, key: { file: 'key' }, ca: { file: 'ca' } };

  async function openBehindTls(connection: (origin: string) => Partial<Connection>, knobs: Partial<Knobs> = {}) {
    for (const [name, text] of Object.entries({ cert: ours.cert, key: ours.key, ca: authority.cert }))
      secrets.set(name, text);
    const world = await open({}, knobs);
    const front = await startTlsFront(world.remote.baseUrl, {
      ...{ cert: server.cert, key: server.key, ca: authority.cert },
      requestCert: true,
      rejectUnauthorized: true,
    });
    closing.push(() => front.close());
    Object.assign(world.connection, { baseUrl: `${front.origin}/fhir`, ...connection(front.origin) });
    await world.restart(() => ({ readSecret }));
    return { world, front };
  }

  test('shows the certificate of the connection, and believes its authority', async () => {
    const { world, front } = await openBehindTls(() => ({ tls }));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(1);
    expect(new Set(front.shown)).toEqual(new Set(['CN=ours']));
  });

  test('goes with a client secret, at the token endpoint too', async () => {
    secrets.set('S', 'x');
    const { world, front } = await openBehindTls(
      (origin) => ({
        tls,
        auth: {
          type: 'client-secret',
          clientId: 'baton',
          method: 'client_secret_post',
          secret: { env: 'S' },
          tokenUrl: `${origin}/token`,
        },
      }),
      { requireToken: NOBODY, acceptClient: () => true },
    );
    await world.sync.pushNow();
    expect([world.remote.all('Patient').length, world.remote.tokens.issued]).toEqual([1, 1]);
    expect(front.shown.length).toBeGreaterThan(0);
  });

  test('without a certificate, or with an unknown authority, nothing gets through and nothing is lost', async () => {
    const { world, front } = await openBehindTls(() => ({ tls: { ca: tls.ca } }));
    await world.sync.pushNow();
    expect(front.shown).toEqual([]);
    expect((await world.sync.status())[0]?.outbox.queued).toBe(1);
    Object.assign(world.connection, { tls: { cert: tls.cert, key: tls.key } });
    await world.restart(() => ({ readSecret }));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(0);
    expect((await world.sync.status())[0]?.outbox.queued).toBe(1);
  });

  test('takes a renewed certificate within a minute', async () => {
    const { world, front } = await openBehindTls(() => ({ tls }));
    await world.sync.pushNow();
    const renewed = makeCertificate('renewed', authority);
    secrets.set('cert', renewed.cert);
    secrets.set('key', renewed.key);
    world.pass({ minutes: 2 });
    await world.write(patient('p2'));
    await world.sync.pushNow();
    expect(world.remote.all('Patient')).toHaveLength(2);
    expect(front.shown.at(-1)).toBe('CN=renewed');
  });
});
