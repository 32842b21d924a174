// Turns the Authorization header of a request into a Grant: who issued the token, for whom, until when, and for which
// scopes. What was found out is remembered under the hash of the header for as long as it may be believed.
import { hash } from 'node:crypto';
import { compactVerify, errors, type JWTHeaderParameters } from 'jose';
import { Fault } from '../fault.ts';
import { bearerToken } from './bearer.ts';
import {
  type Claims,
  checkAudience,
  checkTimes,
  decode,
  isJose,
  MAX_TOKEN_LENGTH,
  SIGNATURE_ALGORITHMS,
} from './claims.ts';
import type { Grant } from './grant.ts';
import { grantOfClaims } from './grant-of-claims.ts';
import type { Introspector } from './introspection.ts';
import type { Agreement } from './issuer.ts';
import { issuerUnavailable } from './issuer-http.ts';
import type { Found, KeySource } from './issuer-keys.ts';
import { createShortMemory } from './short-memory.ts';
import { checkPurpose, refuseBound } from './token-purpose.ts';
import { createTrust, type Trust, type TrustOptions } from './trust.ts';

export interface TokenVerifierOptions extends TrustOptions {
  /**
   * Claims of an opaque token that Baton's own authorization server issued and has not revoked; undefined for any other.
   * They need `aud` and `exp` as a JWT does.
   */
  readonly resolveOwn?: (token: string) => Promise<Claims | undefined>;
}

/** The last token that came over a connection. */
interface Last {
  readonly authorization: string;
  /** What it is remembered under. */
  readonly key: string;
  /** What was remembered of it, which saves looking once more. */
  verified: Verified | undefined;
}

interface Verified {
  readonly grant: Grant;
  /** Seconds since 1970. */
  readonly until: number;
  /** What it was found out from, and the generation that this had then: a later one is asked again. */
  readonly source?: Pick<KeySource, 'generation'>;
  readonly generation?: number;
}

const REMEMBERED = 1_000;
/** For so many seconds at most what was found out about a token is believed without looking again. */
const BELIEVED = { signature: 60, introspection: 30, own: 1 } as const;

export interface TokenVerifier {
  /**
   * @param authorization the header's value
   * @param connection that it came over: the next request over it mostly brings the same one, which is not hashed again
   * @throws Fault unauthenticated, or unavailable when the issuer cannot be asked
   */
  verify(authorization: string | undefined, connection?: object): Promise<Grant>;
  /** What is remembered of it and still believed. */
  recall(authorization: string | undefined, connection: object): Grant | undefined;
  /** To be called when a token of Baton's own authorization server was revoked: all of them are looked up again. */
  revoked(): void;
  readonly trust: Trust;
}

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const trust = createTrust(options);
  const remembered = createShortMemory<Verified>(REMEMBERED);
  const pending = new Map<string, Promise<Verified>>();
  const lastOf = new WeakMap<object, Last>();
  const own = { generation: 0 };
  const seconds = () => options.clock.real().epochMilliseconds / 1000;

  /** The grant of claims that are known to be the issuer's. */
  function accept(claims: Claims, agreement: Agreement, believed: number): Verified {
    checkAudience(claims, agreement.audiences);
    checkTimes(claims, options.clock, agreement.leewaySeconds);
    refuseBound(claims);
    const grant = grantOfClaims(claims, agreement);
    const leeway = believed === BELIEVED.signature ? agreement.leewaySeconds : 0;
    return { grant, until: Math.min(seconds() + believed, Number(claims.exp) + leeway) };
  }

  async function verifyJwt(token: string): Promise<Verified> {
    const { header, claims } = decode(token);
    const issuer = trust.find(claims.iss);
    if (!issuer) throw new Fault('unauthenticated', 'The token comes from an issuer that Baton does not trust.');
    const { agreement, keys, introspector } = issuer;
    if (introspector) return introspect(token, agreement, introspector);
    if (!keys) throw new Error('An issuer has neither keys nor introspection.');
    checkPurpose(header.typ, claims, issuer.isStrict);
    const found = await keys.find(header as unknown as JWTHeaderParameters);
    await verifySignature(token, found.keys, agreement.issuer);
    return { ...accept(claims, agreement, BELIEVED.signature), source: keys, generation: found.generation };
  }

  async function introspect(token: string, agreement: Agreement, introspector: Introspector): Promise<Verified> {
    const claims = await introspector.introspect(token);
    if (!claims) throw unknownToken();
    return acceptAnswer(claims, agreement, BELIEVED.introspection);
  }

  function acceptAnswer(claims: Claims, agreement: Agreement, believed: number): Verified {
    if (claims.iss !== undefined && claims.iss !== agreement.issuer) throw unknownToken();
    checkPurpose(undefined, claims, false);
    return accept(claims, agreement, believed);
  }

  /** Whose it is nobody can see: Baton's own authorization server is asked first, then the others in their order. */
  async function verifyOpaque(token: string): Promise<Verified> {
    const { generation } = own;
    const claims = await options.resolveOwn?.(token);
    if (claims) {
      return { ...acceptAnswer(claims, trust.own().agreement, BELIEVED.own), source: own, generation };
    }
    let down: unknown;
    for (const { issuer, introspector } of trust.introspecting) {
      try {
        const claims = await introspector.introspect(token);
        const agreement = claims && trust.find(issuer)?.agreement;
        if (agreement) return acceptAnswer(claims, agreement, BELIEVED.introspection);
      } catch (error) {
        if (!(error instanceof Fault) || error.kind !== 'unavailable') throw error;
        down ??= error;
      }
    }
    throw down ?? unknownToken();
  }

  async function look(key: string, token: string): Promise<Verified> {
    try {
      const verified = await (isJose(token) ? verifyJwt(token) : verifyOpaque(token));
      remembered.put(key, verified, verified.until);
      return verified;
    } finally {
      pending.delete(key);
    }
  }

  /**
   * What a token is remembered under: never the token itself, because what is in memory may end up in a dump. Only the last
   * one that came over a connection stays with it. Who forwards requests of many may send each with another.
   */
  function lastOver(connection: object | undefined, authorization: string): Last {
    const last = connection && lastOf.get(connection);
    if (last?.authorization === authorization) return last;
    const next: Last = { authorization, key: hash('sha256', authorization, 'base64url'), verified: undefined };
    if (connection) lastOf.set(connection, next);
    return next;
  }

  const isBelieved = ({ until, source, generation }: Verified, now: number) =>
    until > now && source?.generation === generation;

  function recall(authorization: string | undefined, connection: object | undefined): Grant | undefined {
    if (authorization === undefined) return undefined;
    const last = lastOver(connection, authorization);
    const now = seconds();
    if (!last.verified || !isBelieved(last.verified, now)) {
      const known = remembered.get(last.key, now);
      last.verified = known && isBelieved(known, now) ? known : undefined;
    }
    return last.verified?.grant;
  }

  return {
    trust,
    revoked() {
      own.generation += 1;
    },
    recall,
    async verify(authorization, connection) {
      const known = recall(authorization, connection);
      if (known) return known;
      const token = bearerToken(authorization);
      if (token.length > MAX_TOKEN_LENGTH) throw new Fault('unauthenticated', 'The token is too long.');
      // Requests with the same token that come meanwhile wait for the same answer.
      const { key } = lastOver(connection, authorization ?? '');
      let answer = pending.get(key);
      if (!answer) {
        answer = look(key, token);
        pending.set(key, answer);
      }
      return (await answer).grant;
    },
  };
}

/** One sentence whether the key is unknown or the signature wrong, so that nobody learns which keys there are. */
async function verifySignature(token: string, keys: Found['keys'], issuer: string) {
  for (const key of keys) {
    try {
      await compactVerify(token, key, { algorithms: SIGNATURE_ALGORITHMS });
      return;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw issuerUnavailable(issuer, error);
    }
  }
  throw new Fault('unauthenticated', 'The signature of the token does not match a key of its issuer.');
}

const unknownToken = () => new Fault('unauthenticated', 'The token is unknown, expired or revoked.');
