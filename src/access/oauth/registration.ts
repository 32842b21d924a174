// What Baton knows of an application that may ask it for tokens, and what follows from that: whether it can keep a secret,
// how it proves who it is, and which grants it may use.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { JWK } from 'jose';
import type { AdapterPayload } from 'oidc-provider';
import { parseScopes } from '../scopes.ts';
import { isTrustworthy } from '../trustworthy-url.ts';

export interface Registration {
  readonly clientId: string;
  /** As people read it on the consent screen. */
  readonly name: string;
  /** Scopes it may ask for, space-separated. */
  readonly scope: string;
  /** Where a person is sent back to; compared character by character. */
  readonly redirectUris: readonly string[];
  /** Where an EHR launch begins. */
  readonly launchUrl?: string | undefined;
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined;
  readonly jwksUrl?: string | undefined;
  /** Made by `hashSecret`. */
  readonly secretHash?: string | undefined;
  /** People are not asked whether they allow it. */
  readonly trusted: boolean;
}

/** A registration that cannot work; the message is for whoever wrote it. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError';
}

/** @throws RegistrationError */
export function checkRegistration(client: Registration): Registration {
  const refuse = (sentence: string) => {
    throw new RegistrationError(`Client ${client.clientId}: ${sentence}`);
  };
  if (!/^[\x21-\x7e]{1,128}$/.test(client.clientId)) refuse('the id must be 1 to 128 printable characters.');
  const proofs = [client.jwks, client.jwksUrl, client.secretHash].filter((proof) => proof !== undefined);
  if (proofs.length > 1) refuse('give one of jwks, jwksUrl and a secret, not several.');
  for (const uri of client.redirectUris) checkUrl(uri, 'redirect URI', refuse);
  if (client.launchUrl !== undefined) checkUrl(client.launchUrl, 'launch URL', refuse);
  if (client.jwksUrl !== undefined) checkUrl(client.jwksUrl, 'jwksUrl', refuse);
  const grants = grantsOf(client);
  if (grants.length === 0) {
    refuse('it can do nothing: give it redirect URIs, or keys (jwks, jwksUrl) and system/ or baton/ scopes.');
  }
  return client;
}

/** https everywhere, http only to this machine; nothing that would match more than one address. */
function checkUrl(text: string, what: string, refuse: (sentence: string) => void): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!isTrustworthy(text)) refuse(`the ${what} ${text} must be https, or http on this machine.`);
  if (text.includes('#') || text.includes('*')) refuse(`the ${what} ${text} must have neither # nor *.`);
  if (url?.username || url?.password) refuse(`the ${what} must not have a password in it.`);
}

const words = (client: Registration) => client.scope.split(' ');
const asksForRefresh = (client: Registration) =>
  words(client).some((word) => word === 'offline_access' || word === 'online_access');

/** Grant types, from what was registered. Backend services must sign; https://hl7.org/fhir/smart-app-launch/backend-services.html */
export function grantsOf(client: Registration): string[] {
  const { resources, doors } = parseScopes(client.scope);
  const signs = client.jwks !== undefined || client.jwksUrl !== undefined;
  const backend = signs && (doors.size > 0 || resources.some(({ level }) => level === 'system'));
  const apps = client.redirectUris.length > 0;
  return [
    ...(apps ? ['authorization_code'] : []),
    ...(apps && asksForRefresh(client) ? ['refresh_token'] : []),
    ...(backend ? ['client_credentials'] : []),
  ];
}

/** True for an application that proves who it is. */
export const isConfidential = (client: Registration): boolean => methodOf(client) !== 'none';

function methodOf(client: Registration) {
  if (client.jwks !== undefined || client.jwksUrl !== undefined) return 'private_key_jwt';
  return client.secretHash === undefined ? 'none' : 'client_secret_basic';
}

/**
 * The registration as oidc-provider reads it.
 * @param keys the client's public keys, when it has any
 */
export function metadataOf(client: Registration, keys: readonly JWK[]): AdapterPayload {
  const method = methodOf(client);
  const apps = client.redirectUris.length > 0;
  return {
    client_id: client.clientId,
    client_name: client.name,
    redirect_uris: [...client.redirectUris],
    response_types: apps ? ['code'] : [],
    response_modes: ['query'],
    grant_types: grantsOf(client),
    token_endpoint_auth_method: method,
    id_token_signed_response_alg: 'RS256',
    ...(method === 'private_key_jwt' ? { jwks: { keys: [...keys] } as NonNullable<AdapterPayload['jwks']> } : {}),
    ...(client.secretHash === undefined ? {} : { client_secret: client.secretHash }),
    registeredScope: client.scope,
    isTrusted: client.trusted,
  };
}

/** Members of `metadataOf` that the library does not know. */
export const OWN_METADATA = ['registeredScope', 'isTrusted'];

/** A secret nobody can guess, for `baton client add`. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/** Secrets are long and random, so that one round of salted SHA-256 keeps them. */
export function hashSecret(secret: string, salt = randomBytes(16).toString('base64url')): string {
  return `${salt}.${createHash('sha256').update(`${salt}.${secret}`).digest('base64url')}`;
}

export function isSecret(given: string, stored: string): boolean {
  const [salt = ''] = stored.split('.');
  const actual = Buffer.from(hashSecret(given, salt));
  const expected = Buffer.from(stored);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
