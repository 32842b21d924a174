// The door's view of access: a request's Authorization header becomes a Grant, and what can be issued or published is
// here too. Decisions are in decide.ts.
import { fhirBase } from '../fhir/base-url.ts';
import type { Askers } from './asker.ts';
import { ANONYMOUS, type Grant } from './grant.ts';
import { issueToken, type TokenRequest } from './issue.ts';
import type { Keys } from './keys.ts';
import { grantKept, keepGrant, type LastingGrant } from './lasting-grant.ts';
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
  /** What Baton's own authorization server says of a grant that goes on without its token. Absent: nothing does. */
  readonly lasting?: {
    isRegistered(client: string): Promise<boolean>;
    stands(kept: LastingGrant): Promise<boolean>;
  };
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
  /** What is to be kept of a grant that goes on without its token. */
  keep(grant: Grant): Promise<LastingGrant>;
  /**
   * The grant as it is now: with the roles that the person has now, bound by the consents of now, without any emergency
   * access. Undefined when it was taken back, or its issuer is not trusted any more.
   */
  renew(kept: LastingGrant): Promise<Grant | undefined>;
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
  const placed = async (grant: Grant) =>
    grant.actor.kind === 'user' && options.standingOf ? standing(grant, options.standingOf) : grant;
  const bound = async (grant: Grant) => {
    const asker = await options.askers?.of(grant);
    return asker ? { ...grant, asker } : grant;
  };
  return {
    async authenticate(authorization, connection) {
      if (options.mode === 'off') return ANONYMOUS;
      return bound(await placed(await verify(authorization, connection)));
    },
    async keep(grant) {
      const isOwn = grant.issuer === baseUrl();
      const isRegistered = isOwn && (await options.lasting?.isRegistered(grant.client ?? '')) === true;
      return keepGrant(grant, baseUrl(), isRegistered);
    },
    async renew(kept) {
      if (options.mode === 'off') return ANONYMOUS;
      const isOwn = kept.issuer === undefined;
      if (!isOwn && !trust.find(kept.issuer)) return undefined;
      if (isOwn && !(await options.lasting?.stands(kept))) return undefined;
      const grant = await placed(grantKept(kept, baseUrl()));
      // Who breaks the glass looks; nothing is sent because of it.
      const { standing: found, ...rest } = grant;
      return bound(found ? { ...rest, standing: { ...found, emergencies: [] }, actor: kept.actor } : rest);
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
