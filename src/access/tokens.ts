// Turns the bearer token of a request into a Grant: who signed it, for whom, until when, and for which scopes.
// https://hl7.org/fhir/smart-app-launch/ and https://www.rfc-editor.org/rfc/rfc9068
import { hash } from 'node:crypto';
import { compactVerify, createLocalJWKSet, type FetchImplementation } from 'jose';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { type Claims, checkAudience, checkTimes, decode, SIGNATURE_ALGORITHMS, text } from './claims.ts';
import type { Grant } from './grant.ts';
import type { Keys } from './keys.ts';
import { type Issuer, type KeySet, remoteKeys } from './remote-keys.ts';
import { parseScopes } from './scopes.ts';

export interface TokenVerifierOptions {
  readonly keys: Keys;
  readonly issuers: readonly Issuer[];
  /** Baton's own base URL: `iss` of its tokens, and with `/fhir/R4` their `aud`. */
  readonly baseUrl: () => string;
  readonly clock: Clock;
  readonly fetch?: FetchImplementation;
  /** Claims of an opaque token of Baton's own authorization server. */
  readonly resolveOwn?: (token: string) => Promise<Claims | undefined>;
}

interface Trust {
  readonly keySet: KeySet;
  readonly audiences: readonly string[];
  /** Own tokens must say that they are access tokens; other issuers may not know RFC 9068. */
  readonly types: readonly (string | undefined)[];
}

interface Verified {
  readonly grant: Grant;
  readonly claims: Claims;
  readonly until: number;
}

const CACHE_SIZE = 1_000;
const CACHE_SECONDS = 60;
const OTHER_ISSUERS_TYPES = ['at+jwt', 'application/at+jwt', 'jwt', undefined];

/**
 * @returns a function from a compact JWS to its Grant. A good signature is remembered for a minute, so that a client
 * which sends the same token with each request costs one verification; expiry is checked every time.
 * @throws Fault unauthenticated, or unavailable when the issuer's keys cannot be fetched
 */
export function createTokenVerifier(options: TokenVerifierOptions): (token: string) => Promise<Grant> {
  const own = createLocalJWKSet({ keys: [publicTokenKey(options.keys)] });
  const others = new Map(options.issuers.map((issuer) => [issuer.issuer, trustOf(issuer, options.fetch)]));
  const remembered = new Map<string, Verified>();

  const trusted = (issuer: unknown): Trust | undefined => {
    const base = options.baseUrl();
    if (issuer === base) return { keySet: own, audiences: [base, `${base}/fhir/R4`], types: ['at+jwt'] };
    return typeof issuer === 'string' ? others.get(issuer) : undefined;
  };

  const verify = async (token: string): Promise<Verified> => {
    const { header, claims } = decode(token);
    const trust = trusted(claims.iss);
    if (!trust) throw new Fault('unauthenticated', 'The token comes from an issuer that Baton does not trust.');
    const type = typeof header.typ === 'string' ? header.typ.toLowerCase() : undefined;
    if (!trust.types.includes(type)) throw new Fault('unauthenticated', 'The token is not an access token.');
    await verifySignature(token, trust.keySet);
    checkAudience(claims, trust.audiences);
    const until = options.clock.real().epochMilliseconds / 1000 + CACHE_SECONDS;
    return { grant: grantOf(claims, options.baseUrl()), claims, until };
  };

  /** Looked up each time, so that a revoked token is refused at once. */
  const verifyOpaque = async (token: string): Promise<Grant> => {
    const claims = await options.resolveOwn?.(token);
    if (!claims) throw new Fault('unauthenticated', 'The token is not known, or it has expired or was revoked.');
    checkAudience(claims, [`${options.baseUrl()}/fhir/R4`]);
    checkTimes(claims, options.clock);
    return grantOf(claims, options.baseUrl());
  };

  return async (token) => {
    if (options.resolveOwn && token.split('.').length !== 3) return verifyOpaque(token);
    const key = hash('sha256', token);
    const known = remembered.get(key);
    const fresh = known && known.until > options.clock.real().epochMilliseconds / 1000;
    const verified = fresh ? known : await verify(token);
    checkTimes(verified.claims, options.clock);
    if (!fresh) {
      remembered.delete(key);
      remembered.set(key, verified);
      const [oldest] = remembered.keys();
      if (remembered.size > CACHE_SIZE && oldest !== undefined) remembered.delete(oldest);
    }
    return verified.grant;
  };
}

function publicTokenKey(keys: Keys) {
  const key = keys.jwks.keys.find((candidate) => candidate.kid === keys.token.keyId);
  if (!key) throw new Error('The token key is missing from the published key set.');
  return key;
}

function trustOf(issuer: Issuer, fetch: FetchImplementation | undefined): Trust {
  const audiences = [issuer.audience.replace(/\/$/, '')];
  return { keySet: remoteKeys(issuer, fetch), audiences, types: OTHER_ISSUERS_TYPES };
}

async function verifySignature(token: string, keySet: KeySet): Promise<void> {
  try {
    await compactVerify(token, keySet, { algorithms: SIGNATURE_ALGORITHMS });
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('unauthenticated', 'The signature of the token does not match a key of its issuer.', { cause });
  }
}

function grantOf(claims: Claims, baseUrl: string): Grant {
  const fhirUser = text(claims, 'fhirUser')?.replace(`${baseUrl}/fhir/R4/`, '');
  const client = text(claims, 'client_id') ?? text(claims, 'azp') ?? text(claims, 'sub');
  const reference = fhirUser ?? client;
  if (!reference) throw new Fault('unauthenticated', 'The token names neither a user nor a client.');
  const scope = Array.isArray(claims.scope) ? claims.scope.join(' ') : (text(claims, 'scope') ?? text(claims, 'scp'));
  const patient = text(claims, 'patient')?.replace(/^Patient\//, '');
  return {
    actor: { reference, kind: fhirUser ? 'user' : 'client', ...(fhirUser && client ? { client } : {}) },
    scopes: parseScopes(scope ?? ''),
    ...(patient ? { patient } : {}),
  };
}
