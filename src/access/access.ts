// The door's view of access: a request's Authorization header becomes a Grant, and what can be issued or published is
// here too. Decisions are in decide.ts.
import type { FetchImplementation } from 'jose';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Claims } from './claims.ts';
import { ANONYMOUS, type Grant } from './grant.ts';
import { issueToken, type TokenRequest } from './issue.ts';
import type { Keys } from './keys.ts';
import type { Issuer } from './remote-keys.ts';
import { createTokenVerifier } from './tokens.ts';

export interface AccessOptions {
  /** `off` lets everybody in as `anonymous`; the configuration allows it on loopback only. */
  readonly mode: 'smart' | 'off';
  readonly keys: Keys;
  readonly issuers: readonly Issuer[];
  /** Public base URL without trailing slash; asked each time because a free port is known late. */
  readonly baseUrl: () => string;
  readonly clock: Clock;
  /** For the key sets of other issuers. */
  readonly fetch?: FetchImplementation;
  /** The claims of an opaque token of Baton's own authorization server; undefined when it is none, or none any more. */
  readonly resolveOwn?: (token: string) => Promise<Claims | undefined>;
}

export interface Access {
  /**
   * @param authorization the header's value
   * @throws Fault unauthenticated | unavailable
   */
  authenticate(authorization: string | undefined): Promise<Grant>;
  /** An access token of Baton's own, for the sandbox and `baton token`. */
  issue(
    request: Pick<TokenRequest, 'clientId' | 'scope' | 'lifetimeSeconds' | 'patient' | 'fhirUser'>,
  ): Promise<string>;
  /** Public keys, for `/.well-known/jwks.json`. */
  readonly jwks: Keys['jwks'];
}

export function createAccess(options: AccessOptions): Access {
  const verify = createTokenVerifier(options);
  const { keys, clock, baseUrl } = options;
  return {
    async authenticate(authorization) {
      if (options.mode === 'off') return ANONYMOUS;
      return verify(bearerToken(authorization));
    },
    issue: (request) =>
      issueToken(keys.token, clock, { issuer: baseUrl(), audience: `${baseUrl()}/fhir/R4`, ...request }),
    jwks: keys.jwks,
  };
}

function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw new Fault('unauthenticated', 'This needs an access token: Authorization: Bearer <token>.');
  }
  const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1];
  if (!token) throw new Fault('unauthenticated', 'The Authorization header is not `Bearer <token>`.');
  return token;
}
