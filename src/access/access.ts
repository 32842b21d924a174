// The door's view of access: a request's Authorization header becomes a Grant, and what can be issued or published is
// here too. Decisions are in decide.ts.
import { fhirBase } from '../fhir/base-url.ts';
import type { Askers } from './asker.ts';
import { ANONYMOUS, type Grant } from './grant.ts';
import { issueToken, type TokenRequest } from './issue.ts';
import type { Keys } from './keys.ts';
import type { Standing } from './standing.ts';
import { createTokenVerifier, type TokenVerifierOptions } from './tokens.ts';
import type { IssuerCheck } from './trust.ts';

export interface AccessOptions extends TokenVerifierOptions {
  /** `off` lets everybody in as `anonymous`; the configuration allows it on loopback only. */
  readonly mode: 'smart' | 'off';
  /** Where a person stands. Absent: people may do nothing, applications what their scopes say. */
  readonly standingOf?: StandingOf;
  /** In whose name consents are asked. Absent: consents bind nobody. */
  readonly askers?: Askers;
}

type StandingOf = (user: string) => Promise<Standing>;

export interface Access {
  /**
   * @param authorization the header's value
   * @param connection that the request came over
   * @throws Fault unauthenticated | unavailable
   */
  authenticate(authorization: string | undefined, connection?: object): Promise<Grant>;
  /** The same grant, when it is known without waiting: an application's, whose token was looked at a moment ago. */
  recall(authorization: string | undefined, connection: object): Grant | undefined;
  /** An access token of Baton's own, for the sandbox and `baton token`. */
  issue(
    request: Pick<TokenRequest, 'clientId' | 'scope' | 'lifetimeSeconds' | 'patient' | 'fhirUser'>,
  ): Promise<string>;
  /** To be called when Baton's own authorization server revoked a token: here it stops at once, elsewhere in a second. */
  revoked(): void;
  /** Whether each configured issuer can be asked, for `baton doctor`. */
  checkIssuers(): Promise<readonly IssuerCheck[]>;
  /** Public keys, for `/.well-known/jwks.json`. */
  readonly jwks: Keys['jwks'];
}

export function createAccess(options: AccessOptions): Access {
  const { verify, recall, revoked, trust } = createTokenVerifier(options);
  const { keys, clock, baseUrl } = options;
  return {
    async authenticate(authorization, connection) {
      if (options.mode === 'off') return ANONYMOUS;
      const verified = await verify(authorization, connection);
      const isPerson = verified.actor.kind === 'user' && options.standingOf;
      const grant = isPerson ? await standing(verified, isPerson) : verified;
      const asker = await options.askers?.of(grant);
      return asker ? { ...grant, asker } : grant;
    },
    recall(authorization, connection) {
      if (options.mode === 'off') return ANONYMOUS;
      const grant = recall(authorization, connection);
      const isSettled = options.askers === undefined || options.askers.bindNobody();
      return isSettled && grant?.actor.kind !== 'user' ? grant : undefined;
    },
    issue: (request) => issueToken(keys.token, clock, { issuer: baseUrl(), audience: fhirBase(baseUrl()), ...request }),
    revoked,
    checkIssuers: () => trust.check(),
    jwks: keys.jwks,
  };
}

/** The grant of a person with what the person's roles add; a patient is the patient in context. */
async function standing(grant: Grant, standingOf: StandingOf): Promise<Grant> {
  const { reference } = grant.actor;
  const found = await standingOf(reference);
  const patient = grant.patient ?? /^Patient\/(.+)$/.exec(reference)?.[1];
  const emergency = found.emergencies.map(({ id }) => id).join(' ');
  return {
    ...grant,
    standing: found,
    ...(patient === undefined ? {} : { patient }),
    ...(emergency === '' ? {} : { actor: { ...grant.actor, emergency } }),
  };
}
