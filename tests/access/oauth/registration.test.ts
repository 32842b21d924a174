// What an application may be registered as, and what follows from it.
import { describe, expect, it } from 'vitest';
import {
  checkRegistration,
  grantsOf,
  hashSecret,
  isConfidential,
  isSecret,
  type Registration,
} from '../../../src/access/oauth/registration.ts';
import { registrationsOf } from '../../../src/config-clients.ts';

const client = (more: Partial<Registration> = {}): Registration => ({
  clientId: 'app',
  name: 'App',
  scope: 'launch/patient patient/*.rs',
  redirectUris: ['https://app.example/cb'],
  trusted: false,
  ...more,
});
const jwks = { keys: [{ kty: 'EC' }] };

describe('an address', () => {
  it.each(['https://app.example/cb', 'http://localhost:3000/', 'http://127.0.0.1/cb?x=1', 'http://[::1]:1/'])(
    'may be %s',
    (uri) => {
      expect(() => checkRegistration(client({ redirectUris: [uri], launchUrl: uri }))).not.toThrow();
    },
  );

  it.each([
    'http://app.example/cb',
    'http://127.0.0.1.example/cb',
    'https://app.example/cb#x',
    'https://*.example/cb',
    'app://cb',
    'https://user:password@app.example/cb',
    'javascript:alert(1)',
    '',
  ])('must not be %s', (uri) => {
    expect(() => checkRegistration(client({ redirectUris: [uri] }))).toThrow(/^Client app: the redirect URI/);
    expect(() => checkRegistration(client({ launchUrl: uri }))).toThrow(/^Client app: the launch URL/);
  });
});

it.each([
  ['an id with a space', { clientId: 'a b' }],
  ['two ways to prove who it is', { jwks, secretHash: hashSecret('x') }],
  ['keys over plain http', { jwksUrl: 'http://app.example/keys' }],
  ['nothing that it can do', { redirectUris: [], jwks }],
  ['a service that does not sign', { redirectUris: [], scope: 'system/*.rs', secretHash: hashSecret('x') }],
])('%s is refused', (_, more) => {
  expect(() => checkRegistration(client(more))).toThrow(/^Client /);
});

it.each<[Partial<Registration>, string[], boolean]>([
  [{}, ['authorization_code'], false],
  [{ scope: 'patient/*.rs offline_access' }, ['authorization_code', 'refresh_token'], false],
  [{ secretHash: hashSecret('x') }, ['authorization_code'], true],
  [{ redirectUris: [], jwks, scope: 'system/*.rs' }, ['client_credentials'], true],
  [
    { jwks, scope: 'system/*.rs patient/*.rs online_access' },
    ['authorization_code', 'refresh_token', 'client_credentials'],
    true,
  ],
])('%j gives %j', (more, grants, confidential) => {
  expect([grantsOf(client(more)), isConfidential(client(more))]).toEqual([grants, confidential]);
});

it('a secret is known by its hash, and two hashes of one secret differ', () => {
  const stored = hashSecret('a secret');
  expect(isSecret('a secret', stored)).toBe(true);
  expect(isSecret('another', stored)).toBe(false);
  expect(isSecret('a secret', '')).toBe(false);
  expect(hashSecret('a secret')).not.toBe(stored);
});

describe('a client of the configuration', () => {
  const base = { clientId: 'app', scope: 'patient/*.rs', redirectUris: ['https://app.example/cb'], trusted: false };

  it('has its secret as a hash only', () => {
    const secret = 'twenty-four characters and more';
    const [registration] = registrationsOf([{ ...base, secret }]);
    expect(JSON.stringify(registration)).not.toContain(secret);
    expect(isSecret(secret, registration?.secretHash ?? '')).toBe(true);
  });

  it.each([
    ['is public with a secret', { type: 'public' as const, secret: 'twenty-four characters and more' }],
    ['is confidential without one', { type: 'confidential' as const }],
    ['has a secret that is too short', { secret: 'short' }],
  ])('that %s stops the start', (_, more) => {
    expect(() => registrationsOf([{ ...base, ...more }])).toThrow(/app/);
  });
});
