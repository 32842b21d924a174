// A JWT whose signature is not yet known to be good, and the checks on its claims that follow once it is. Times are
// compared against the machine's clock, which the sandbox cannot move.
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { withoutSlash } from './issuer.ts';
import { parseObject } from './strict-json.ts';

/** Algorithms a signature may use: asymmetric only, so that a published key can never be taken for a shared secret. */
export const SIGNATURE_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
];

/** Longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 16_384;
const MAX_HEADER_LENGTH = 8_192;

export type Claims = Readonly<Record<string, unknown>>;

export interface Decoded {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
}

/**
 * Whether a token says that it is one of JOSE's, signed or encrypted; anything else is opaque.
 * https://www.rfc-editor.org/rfc/rfc7516#section-9
 */
export function isJose(token: string): boolean {
  const dot = token.indexOf('.');
  if (dot < 0 || dot > MAX_HEADER_LENGTH) return dot > 0;
  const header = Buffer.from(token.slice(0, dot), 'base64url').toString('latin1').trimStart();
  return header.startsWith('{');
}

/**
 * Reads a JWT without trusting it, to learn which key must verify it. Keys and addresses of keys that it brings along
 * (`jwk`, `jku`, `x5u`, `x5c`) are not looked at by anything.
 * @throws Fault unauthenticated
 */
export function decode(token: string): Decoded {
  if (token.length > MAX_TOKEN_LENGTH) throw new Fault('unauthenticated', 'The token is too long.');
  const parts = token.split('.', 6);
  const [head = '', payload = '', signature = ''] = parts;
  const header = head.length > MAX_HEADER_LENGTH ? undefined : objectIn(head);
  const claims = objectIn(payload);
  if (parts.length !== 3 || !header || !claims || !isCanonical(signature)) {
    throw new Fault('unauthenticated', 'The token is not a signed JWT.');
  }
  // What extensions change about the meaning of a token, Baton does not know; a token within a token has a second issuer.
  if ('crit' in header || 'b64' in header || 'cty' in header) {
    throw new Fault('unauthenticated', 'The token has a header that Baton does not take (`crit`, `b64` or `cty`).');
  }
  if (!SIGNATURE_ALGORITHMS.includes(header.alg as string) || !isKeyId(header.kid)) {
    throw new Fault('unauthenticated', 'The token is not signed in a way that Baton takes.');
  }
  return { header, claims };
}

const isKeyId = (kid: unknown) => kid === undefined || (typeof kid === 'string' && kid.length <= 512);

const objectIn = (part: string) => (isCanonical(part) ? parseObject(Buffer.from(part, 'base64url')) : undefined);

/** Base64url as an encoder writes it: no padding, and no second spelling of the same bytes. */
const isCanonical = (part: string) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;

/**
 * @throws Fault unauthenticated when the token is expired, not valid yet, from the future, or says nothing about when it
 * expires
 */
export function checkTimes(claims: Claims, clock: Clock, leewaySeconds: number): void {
  const now = clock.real().epochMilliseconds / 1000;
  if (typeof claims.exp !== 'number') throw new Fault('unauthenticated', 'The token has no expiry (claim `exp`).');
  if (claims.exp + leewaySeconds <= now) throw new Fault('unauthenticated', 'The token has expired.');
  for (const name of ['nbf', 'iat']) {
    const value = claims[name] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'number' || value - leewaySeconds > now) {
      throw new Fault('unauthenticated', `The token is not valid yet (claim \`${name}\`).`);
    }
  }
}

/** @throws Fault unauthenticated when none of the token's audiences is one of `accepted` */
export function checkAudience(claims: Claims, accepted: readonly string[]): void {
  const given: unknown[] = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  const isText = (audience: unknown) => typeof audience === 'string';
  if (given.every(isText) && given.some((audience) => accepted.includes(withoutSlash(audience)))) return;
  throw new Fault('unauthenticated', 'The token is meant for another server (claim `aud`).');
}

/** The claim as a string, undefined when absent or something else. */
export function text(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  return typeof value === 'string' && value.length > 0 ? value : undefined;
}
