// The claims of a JWT whose signature is not yet known to be good, and the checks on time and audience that follow once
// it is. Times are compared against the machine's clock, which the sandbox cannot move.
import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';

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

/** Clocks of two machines may differ by this much. */
export const LEEWAY_SECONDS = 30;

const MAX_TOKEN_LENGTH = 16_384;

export type Claims = Readonly<Record<string, unknown>>;

export interface Decoded {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
}

/**
 * Reads a JWT without trusting it, to learn which key must verify it.
 * @throws Fault unauthenticated
 */
export function decode(token: string): Decoded {
  if (token.length > MAX_TOKEN_LENGTH) throw new Fault('unauthenticated', 'The token is too long.');
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch (cause) {
    throw new Fault('unauthenticated', 'The token is not a signed JWT.', { cause });
  }
}

/** @throws Fault unauthenticated when the token is expired, not valid yet, or says nothing about when it expires */
export function checkTimes(claims: Claims, clock: Clock): void {
  const now = clock.real().epochMilliseconds / 1000;
  if (typeof claims.exp !== 'number') throw new Fault('unauthenticated', 'The token has no expiry (claim `exp`).');
  if (claims.exp + LEEWAY_SECONDS <= now) throw new Fault('unauthenticated', 'The token has expired.');
  if (claims.nbf === undefined) return;
  if (typeof claims.nbf !== 'number' || claims.nbf - LEEWAY_SECONDS > now) {
    throw new Fault('unauthenticated', 'The token is not valid yet (claim `nbf`).');
  }
}

/** @throws Fault unauthenticated when none of the token's audiences is one of `accepted` */
export function checkAudience(claims: Claims, accepted: readonly string[]): void {
  const given = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (given.some((audience) => typeof audience === 'string' && accepted.includes(audience.replace(/\/$/, '')))) return;
  throw new Fault('unauthenticated', 'The token is meant for another server (claim `aud`).');
}

/** The claim as a string, undefined when absent or something else. */
export function text(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  return typeof value === 'string' && value.length > 0 ? value : undefined;
}
