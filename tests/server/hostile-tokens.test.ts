// Tokens that somebody made to get in, through HTTP: each is 401 (never 500, never let in), says so the way RFC 6750 asks,
// and leaves nothing of itself in the answer, the log or the audit trail.
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { CompactEncrypt, CompactSign, exportSPKI, importJWK } from 'jose';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccess } from '../../src/access/access.ts';
import type { Keys } from '../../src/access/keys.ts';
import { CLIENT, startIssuer, type TestIssuer } from '../support/test-issuer.ts';
import { testKeys } from '../support/test-keys.ts';
import { type Answer, BASE, FHIR, serve, type TestServer } from './serve.ts';

let issuer: TestIssuer;
let asked: TestIssuer;
let baton: TestServer;
let keys: Keys;
let logged: string;
let port: number;

beforeAll(async () => {
  issuer = await startIssuer();
  asked = await startIssuer();
  keys = await testKeys();
  logged = '';
  const sink = new Writable({
    write(chunk, _, done) {
      logged += chunk;
      done();
    },
  });
  baton = await serve(({ clock }) => ({
    log: pino({ level: 'trace' }, sink),
    access: createAccess({
      mode: 'smart',
      keys,
      issuers: [
        { issuer: issuer.url, audience: 'baton' },
        { issuer: asked.url, audience: 'baton', introspection: CLIENT },
      ],
      baseUrl: () => BASE,
      clock,
    }),
  }));
  await baton.server.listen({ host: '127.0.0.1', port: 0 });
  port = (baton.server.server.address() as { port: number }).port;
});

afterAll(async () => {
  await baton.close();
  await issuer.stop();
  await asked.stop();
});

const now = () => Math.floor(Temporal.Now.instant().epochMilliseconds / 1000);
const claims = () => ({ iss: issuer.url, aud: 'baton', client_id: 'app', scope: 'system/*.cruds', exp: now() + 300 });
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const withAuthorization = (authorization: string) =>
  baton.fhir('GET', '/Patient/x', { as: '', headers: { authorization } });
const withToken = (token: string) => withAuthorization(`Bearer ${token}`);

const ownHeader = () => ({ alg: 'ES384', kid: keys.token.keyId, typ: 'at+jwt' });
const ownClaims = () => ({ ...claims(), iss: BASE, aud: FHIR });
const signOwn = (body: object | string, header: object = {}) =>
  new CompactSign(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
    .setProtectedHeader({ ...ownHeader(), ...header })
    .sign(keys.token.privateKey);
const ownPublicJwk = () => keys.jwks.keys.find(({ kid }) => kid === keys.token.keyId) ?? {};

function expectRefused(answer: Answer): void {
  expect([answer.status, answer.headers['www-authenticate']]).toEqual([
    401,
    'Bearer realm="baton", error="invalid_token"',
  ]);
  expect(answer.json.resourceType).toBe('OperationOutcome');
  expect(answer.json.issue?.[0]?.code).toBe('login');
}

/** Nothing as long as a part of a token, and not the token, is anywhere. */
async function expectUnwritten(token: string, answer: Answer): Promise<void> {
  const parts = token.split(/[. ]/).filter((part) => part.length > 12);
  const trail = JSON.stringify(await baton.audited());
  for (const part of parts) {
    for (const place of [answer.text, JSON.stringify(answer.headers), logged, trail]) {
      expect(place.includes(part)).toBe(false);
    }
  }
}

it('a good one gets in', async () => {
  for (const token of [await issuer.sign(claims()), await signOwn(ownClaims())]) {
    expect((await withToken(token)).status).toBe(404);
  }
});

describe('a forged token', () => {
  const forgeries: [string, () => Promise<string> | string][] = [
    ['without signature and alg none', () => `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims())}.`],
    ['with alg None', () => `${encode({ alg: 'None', typ: 'at+jwt' })}.${encode(claims())}.AAAA`],
    ['without signature', async () => `${(await issuer.sign(claims())).split('.').slice(0, 2).join('.')}.`],
    ['of two parts', async () => (await issuer.sign(claims())).split('.').slice(0, 2).join('.')],
    ['of four parts', async () => `${await issuer.sign(claims())}.AAAA`],
    ['of five parts', async () => `${await issuer.sign(claims())}.AAAA.AAAA`],
    ['of a thousand parts', async () => `${await issuer.sign(claims())}${'.AAAA'.repeat(1_000)}`],
    [
      'encrypted for Baton',
      async () =>
        new CompactEncrypt(Buffer.from(JSON.stringify(ownClaims())))
          .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT' })
          .encrypt(await importJWK({ ...ownPublicJwk(), key_ops: undefined, use: undefined, alg: 'ECDH-ES' } as never)),
    ],
    ['within a token', async () => signOwn(await signOwn(ownClaims()), { cty: 'JWT' })],
    ['that says it is within a token', () => signOwn(ownClaims(), { cty: 'JWT' })],
    ['with a critical header', () => forge({ crit: ['exp'], exp: 1 })],
    ['with b64 false', () => forge({ crit: ['b64'], b64: false })],
    ['with padding', async () => `${await signOwn(ownClaims())}=`],
    [
      'with a payload that is not UTF-8',
      () =>
        issuer.sign(
          Buffer.concat([
            Buffer.from(`${JSON.stringify(claims()).slice(0, -1)},"x":"`),
            Uint8Array.of(0xff, 0x22, 0x7d),
          ]),
        ),
    ],
    ['with a payload that is a list', () => issuer.sign('[]')],
    ['with a payload that is text', () => issuer.sign('"x"')],
    ['with a payload that is empty', () => issuer.sign('')],
    ['with a byte order mark', () => issuer.sign(`\uFEFF${JSON.stringify(claims())}`)],
    ['with a claim twice', () => issuer.sign(JSON.stringify(claims()).replace('{', '{"aud":"other",'))],
    ['with a claim twice, once escaped', () => issuer.sign(JSON.stringify(claims()).replace('{', '{"\\u0061ud":"x",'))],
    [
      'nested a hundred thousand deep',
      () => `${encode({ alg: 'ES256' })}.${Buffer.from('['.repeat(9_000)).toString('base64url')}.AAAA`,
    ],
    ['longer than 16 KiB', () => issuer.sign({ ...claims(), x: 'x'.repeat(13_000) })],
    ['with a header longer than 8 KiB', () => issuer.sign(claims(), { x: 'x'.repeat(7_000) })],
    ['with a kid that is no text', () => `${encode({ ...ownHeader(), kid: 5 })}.${encode(ownClaims())}.AAAA`],
  ];

  /** jose does not sign what it does not understand, so the signature is another token's. */
  async function forge(header: object): Promise<string> {
    const signature = (await signOwn(ownClaims())).split('.')[2];
    return `${encode({ ...ownHeader(), ...header })}.${encode(ownClaims())}.${signature}`;
  }

  it.each(forgeries)('%s is refused', async (_, make) => {
    const token = await make();
    const answer = await withToken(token);
    expectRefused(answer);
    await expectUnwritten(token, answer);
  });

  it.each(['HS256', 'HS384', 'HS512'])('signed with %s and the public key as secret is refused', async (alg) => {
    const publicKey = (await importJWK({ ...ownPublicJwk() }, 'ES384', { extractable: true })) as CryptoKey;
    const secrets = [await exportSPKI(publicKey), JSON.stringify(ownPublicJwk()), ownPublicJwk().x ?? ''];
    for (const secret of secrets) {
      const token = await new CompactSign(Buffer.from(JSON.stringify(ownClaims())))
        .setProtectedHeader({ ...ownHeader(), alg })
        .sign(Buffer.from(secret.padEnd(64, ' ')));
      expectRefused(await withToken(token));
    }
  });

  it('never makes Baton look at keys that it brings along', async () => {
    const thief = await startIssuer();
    const jku = `${thief.url}/jwks`;
    const [jwk] = thief.keys;
    for (const header of [{ jwk }, { jku }, { x5u: jku }, { jwk, jku, kid: undefined }, { x5c: ['AAAA'] }]) {
      expectRefused(await withToken(await thief.sign(claims(), header)));
    }
    expect(thief.asked).toEqual([]);
    await thief.stop();
  });

  it.each(['../../../dev/null', "' UNION SELECT 'secret", '$(id)', 'a'.repeat(600), '\u0000', '__proto__', ''])(
    'with the key id %j is refused in the same words as one with a wrong signature',
    async (kid) => {
      const answer = await withToken(await issuer.sign(claims(), { kid }));
      expectRefused(answer);
      if (kid.length > 512) return;
      const [head, body] = (await issuer.sign(claims())).split('.');
      const [, , other] = (await issuer.sign({ ...claims(), jti: '1' })).split('.');
      expect(answer.json.issue).toEqual((await withToken(`${head}.${body}.${other}`)).json.issue);
    },
  );
});

describe('a token that was signed for something else', () => {
  it.each<[string, () => object, object?]>([
    ['another audience', () => ({ aud: 'https://other.example' })],
    ['no audience', () => ({ aud: undefined })],
    ['an audience that is an object', () => ({ aud: { baton: true } })],
    ['an audience with something else in the list', () => ({ aud: ['baton', 5] })],
    ['an issuer with a slash more', () => ({ iss: `${issuer.url}/` })],
    ['an issuer in capitals', () => ({ iss: issuer.url.toUpperCase() })],
    ['an issuer that is a list', () => ({ iss: [issuer.url] })],
    ['an unknown issuer', () => ({ iss: 'https://evil.example"\r\nX: y' })],
    ['no issuer', () => ({ iss: undefined })],
    ['Baton itself as issuer', () => ({ iss: BASE, aud: FHIR })],
    ['an expiry that is text', () => ({ exp: String(now() + 300) })],
    ['an expiry that is null', () => ({ exp: null })],
    ['an expiry in the past', () => ({ exp: now() - 31 })],
    ['no expiry', () => ({ exp: undefined })],
    ['a beginning in the future', () => ({ nbf: now() + 40 })],
    ['a beginning that is text', () => ({ nbf: '0' })],
    ['a birth in the future', () => ({ iat: now() + 40 })],
    ['a scope that is a number', () => ({ scope: 7 })],
    ['a scope that is an object', () => ({ scope: { 'system/*.cruds': true } })],
    ['a client that is a list', () => ({ client_id: ['app'] })],
    ['nobody', () => ({ client_id: undefined })],
    ['a key of its holder', () => ({ cnf: { jkt: 'abc' } })],
    ['a login: it has at_hash', () => ({ at_hash: 'x' }), { typ: 'JWT' }],
    ['a login: it has a nonce', () => ({ nonce: 'x' }), { typ: undefined }],
    ['a login of Keycloak', () => ({ typ: 'ID' }), { typ: 'JWT' }],
    ['a login of Cognito', () => ({ token_use: 'id' }), { typ: 'JWT' }],
    ['a refresh', () => ({ typ: 'Refresh' }), { typ: 'JWT' }],
    ['a logout', () => ({ events: {} }), { typ: 'JWT' }],
    ['a logout by type', () => ({}), { typ: 'logout+jwt' }],
    ['a client assertion', () => ({}), { typ: 'client-authentication+jwt' }],
  ])('%s is refused', async (_, more, header) => {
    const token = await issuer.sign({ ...claims(), ...more() }, header);
    const answer = await withToken(token);
    expectRefused(answer);
    expect(answer.text).not.toContain('evil');
    await expectUnwritten(token, answer);
  });

  it('its own id token is refused by Baton', async () => {
    expectRefused(await withToken(await signOwn(ownClaims(), { typ: 'JWT' })));
  });

  it('thousands of scopes grant what the first 200 do, and quickly', async () => {
    const many = Array.from({ length: 1_500 }, (_, i) => `x/${i}`).join(' ');
    const token = await issuer.sign({ ...claims(), scope: `${many} system/*.cruds` });
    const answer = await withToken(token);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      403,
      'Bearer realm="baton", error="insufficient_scope", scope="system/Patient.r"',
    ]);
  });

  it('a scope is never reflected', async () => {
    for (const scope of ['system/Task.rs"\r\nx: y', 'system/\u0000', '"; error="none']) {
      const answer = await withToken(await issuer.sign({ ...claims(), scope }));
      expect(answer.status).toBe(403);
      expect(answer.text + JSON.stringify(answer.headers)).not.toContain('x: y');
    }
  });
});

describe('where a token is', () => {
  const raw = async (lines: readonly string[], path = '/fhir/R4/Patient/x') => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`${[`GET ${path} HTTP/1.1`, 'Host: baton', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`);
    return text(socket);
  };

  it('two headers are refused, whichever is good', async () => {
    const good = `Authorization: Bearer ${await issuer.sign(claims())}`;
    expect(await raw([good])).toMatch(/^HTTP\/1.1 404 /);
    for (const lines of [
      [good, good],
      [good, 'authorization: Bearer x'],
      ['AUTHORIZATION: Basic YTpi', good],
    ]) {
      const answer = await raw(lines);
      expect(answer).toMatch(/^HTTP\/1.1 401 /);
      expect(answer.toLowerCase()).toContain('www-authenticate: bearer realm="baton", error="invalid_token"');
    }
  });

  it('over one connection, as behind a proxy, each request goes by its own, whatever came before it', async () => {
    const [all, tasks] = [await issuer.sign(claims()), await issuer.sign({ ...claims(), scope: 'system/Task.rs' })];
    const person = await issuer.sign({ ...claims(), fhirUser: 'Practitioner/1', scope: 'user/*.rs' });
    const forged = `${all.slice(0, -8)}${'A'.repeat(8)}`;
    const sent = [all, tasks, all, person, all, forged, person, undefined, tasks, forged, all];
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const answers = text(socket);
    for (const round of ['keep-alive', 'close']) {
      for (const [at, token] of sent.entries()) {
        const lines = [
          'GET /fhir/R4/Patient/x HTTP/1.1',
          'Host: baton',
          `Connection: ${at === sent.length - 1 ? round : 'keep-alive'}`,
        ];
        if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
        socket.write(`${lines.join('\r\n')}\r\n\r\n`);
      }
    }
    const statuses = [404, 403, 404, 403, 404, 401, 403, 401, 403, 401, 404];
    expect([...(await answers).matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status]) => Number(status))).toEqual([
      ...statuses,
      ...statuses,
    ]);
  });

  it('headers larger than Node takes are refused before there is a request', async () => {
    expect(await raw([`Authorization: Bearer ${'a'.repeat(20_000)}`])).toMatch(/^HTTP\/1.1 431 /);
  });

  it.each(['access_token=', '_id=1&access_token=', '%61ccess_token=', 'access%5Ftoken='])(
    'in the URL as %s it is refused, and written down nowhere',
    async (parameter) => {
      const token = await issuer.sign(claims());
      const path = `/Patient?${parameter}${token}`;
      for (const answer of [
        await baton.fhir('GET', path, { as: '' }),
        await baton.fhir('GET', path, { as: token }),
        await baton.fhir('GET', `/metadata?${parameter}${token}`, { as: '' }),
        await baton.send('GET', `/nowhere?${parameter}${token}`, { as: '' }),
      ]) {
        expectRefused(answer);
        await expectUnwritten(token, answer);
      }
    },
  );

  it('in a form it is refused, and written down nowhere', async () => {
    const token = await issuer.sign(claims());
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const other = await issuer.sign({ ...claims(), jti: '2' });
    const answer = await baton.fhir('POST', '/Patient/_search', { body: `access_token=${token}`, as: other, headers });
    expectRefused(answer);
    await expectUnwritten(token, answer);
  });

  it.each([
    'Basic YTpi',
    'DPoP TOKEN',
    'bearer',
    'Bearer',
    'Bearer  ',
    'Bearer TOKEN TOKEN',
    'Bearer TOKEN,',
    'Bearer "TOKEN"',
    'TOKEN',
    'Token TOKEN',
    'Bearer\tTOKEN',
    'Bearer TOKEN\u00e9',
  ])('as %j it is refused', async (pattern) => {
    const token = await issuer.sign({ ...claims(), pattern });
    const answer = await withAuthorization(pattern.replaceAll('TOKEN', token));
    expectRefused(answer);
    await expectUnwritten(token, answer);
  });

  it('the scheme is recognised in any case', async () => {
    expect((await withAuthorization(`bEARER ${await issuer.sign(claims())}`)).status).toBe(404);
  });
});

describe('an issuer that cannot be asked', () => {
  it('is 503 with Retry-After, not 401', async () => {
    const down = await startIssuer();
    const other = await serve(({ clock }) => ({
      access: createAccess({
        mode: 'smart',
        keys,
        issuers: [{ issuer: down.url, audience: 'baton' }],
        baseUrl: () => BASE,
        clock,
      }),
    }));
    const token = await down.sign({ ...claims(), iss: down.url });
    await down.stop();
    const answer = await other.fhir('GET', '/Patient/x', { as: token });
    expect([answer.status, answer.headers['retry-after'], answer.headers['www-authenticate']]).toEqual([
      503,
      '10',
      undefined,
    ]);
    expect(answer.text).not.toContain(down.url);
    await other.close();
  });
});

describe('whatever is sent', () => {
  it('a good token with any character changed is refused', async () => {
    for (const [token, grants] of [
      [await issuer.sign({ ...claims(), scope: 'system/Task.rs' }), 'Task'],
      [await signOwn({ ...ownClaims(), scope: 'system/Task.rs' }), 'Task'],
    ] as const) {
      expect((await baton.fhir('GET', `/${grants}`, { as: token })).status).toBe(200);
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/='.split('');
      const position = fc.nat(token.length - 1);
      await fc.assert(
        fc.asyncProperty(
          position,
          fc.constantFrom(...alphabet),
          fc.constantFrom('put', 'insert', 'cut'),
          async (at, character, how) => {
            const changed =
              how === 'put'
                ? token.slice(0, at) + character + token.slice(at + 1)
                : how === 'insert'
                  ? token.slice(0, at) + character + token.slice(at)
                  : token.slice(0, at);
            if (changed === token) return;
            const answer = await baton.fhir('GET', '/Task', { as: changed });
            expect([changed, answer.status]).toEqual([changed, 401]);
          },
        ),
        { numRuns: 600 },
      );
    }
  });

  it('a last character that only changes unused bits is refused as well', async () => {
    const token = await issuer.sign(claims());
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const character of alphabet) {
      const changed = token.slice(0, -1) + character;
      if (changed !== token) expectRefused(await withToken(changed));
    }
  });

  it('a changed header or payload under the old signature is refused', async () => {
    const [, , signature] = (await signOwn(ownClaims())).split('.');
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), fc.string(), async (inHeader, inClaims, name) => {
        const header = encode({ ...ownHeader(), [name]: inHeader });
        const payload = encode({ ...ownClaims(), [name]: inClaims });
        expect((await withToken(`${header}.${payload}.${signature}`)).status).toBe(401);
      }),
      { numRuns: 200 },
    );
  });

  it('garbage in the header is refused', async () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    });
    const garbage = fc.oneof(
      printable,
      printable.map((rest) => `Bearer ${rest}`),
      fc.base64String().map((rest) => `Bearer ${rest}`),
      fc
        .tuple(fc.json(), fc.json())
        .map(([a, b]) => `Bearer ${Buffer.from(a).toString('base64url')}.${Buffer.from(b).toString('base64url')}.AAAA`),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (authorization) => {
        expect([authorization, (await withAuthorization(authorization)).status]).toEqual([authorization, 401]);
      }),
      { numRuns: 300 },
    );
  });

  it('signed claims of any shape are a grant or 401, never an error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          'scope',
          'scp',
          'client_id',
          'sub',
          'patient',
          'fhirUser',
          'aud',
          'iss',
          'exp',
          'nbf',
          'iat',
          'purpose_of_use',
          'extensions',
          'launch_response',
          'encounter',
          'cnf',
          '__proto__',
          'constructor',
        ),
        fc.jsonValue(),
        async (name, value) => {
          const body = JSON.stringify(claims()).slice(0, -1);
          const token = await issuer.sign(`${body},${JSON.stringify(`${name}`)}:${JSON.stringify(value)}}`);
          const twice = Object.hasOwn(claims(), name);
          const { status } = await withToken(token);
          expect(twice ? [401] : [401, 403, 404]).toContain(status);
        },
      ),
      { numRuns: 400 },
    );
  });
});
