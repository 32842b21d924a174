// The door's view of access: a request's Authorization header becomes a Grant, and what can be issued or published is
// here too. Decisions are in decide.ts.
import type { FetchImplementation } from 'jose';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Asker } from '../fhir/consent/asker.ts';
import { type Client, createTokenEndpoint } from './client-assertion.ts';
import { ANONYMOUS, type Grant } from './grant.ts';
import { issueToken, type TokenRequest } from './issue.ts';
import type { Keys } from './keys.ts';
import type { Issuer } from './remote-keys.ts';
import type { Standing } from './standing.ts';
import { createTokenVerifier } from './tokens.ts';

export interface AccessOptions {
  /** `off` lets everybody in as `anonymous`; the configuration allows it on loopback only. */
  readonly mode: 'smart' | 'off';
  readonly keys: Keys;
  readonly issuers: readonly Issuer[];
  readonly clients: readonly Client[];
  /** Public base URL without trailing slash; asked each time because a free port is known late. */
  readonly baseUrl: () => string;
  readonly clock: Clock;
  /** Where a person stands. Absent: people may do nothing, applications what their scopes say. */
  readonly standingOf?: StandingOf;
  /** In whose name consents are asked. Absent: consents bind nobody. */
  readonly askerOf?: (grant: Grant) => Promise<Asker | undefined>;
  /** For the key sets of other issuers. */
  readonly fetch?: FetchImplementation;
}

type StandingOf = (user: string) => Promise<Standing>;

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
  /** The SMART Backend Services token endpoint. @throws OAuthError */
  readonly tokenEndpoint: ReturnType<typeof createTokenEndpoint>;
  /** Public keys, for `/.well-known/jwks.json`. */
  readonly jwks: Keys['jwks'];
}

export function createAccess(options: AccessOptions): Access {
  const verify = createTokenVerifier(options);
  const { keys, clock, baseUrl } = options;
  return {
    async authenticate(authorization) {
      if (options.mode === 'off') return ANONYMOUS;
      const verified = await verify(bearerToken(authorization));
      const isPerson = verified.actor.kind === 'user' && options.standingOf;
      const grant = isPerson ? await standing(verified, isPerson) : verified;
      const asker = await options.askerOf?.(grant);
      return asker ? { ...grant, asker } : grant;
    },
    issue: (request) =>
      issueToken(keys.token, clock, { issuer: baseUrl(), audience: `${baseUrl()}/fhir/R4`, ...request }),
    tokenEndpoint: createTokenEndpoint(options),
    jwks: keys.jwks,
  };
}

/** The grant of a person with what the person's roles add; a patient is the patient in context. */
async function standing(grant: Grant, standingOf: StandingOf): Promise<Grant> {
  const { reference } = grant.actor;
  const found = await standingOf(reference);
  const patient = grant.patient ?? /^Patient\/(.+)$/.exec(reference)?.[1];
  const [emergency] = found.emergencies;
  return {
    ...grant,
    standing: found,
    ...(patient === undefined ? {} : { patient }),
    ...(emergency ? { actor: { ...grant.actor, emergency: emergency.id } } : {}),
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
