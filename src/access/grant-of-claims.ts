// What verified claims say about who asks, through which application, for whom and why.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html and https://www.rfc-editor.org/rfc/rfc9068
import { Fault } from '../fault.ts';
import { purposesIn } from './claimed-purpose.ts';
import { scopeIn } from './claimed-scope.ts';
import type { Claims } from './claims.ts';
import { patientIdOf, personOf } from './fhir-reference.ts';
import type { Grant } from './grant.ts';
import type { Agreement } from './issuer.ts';
import { parseScopes } from './scopes.ts';
import { memberOf } from './strict-json.ts';

/** Where issuers name the application: the standard's claim, OpenID Connect's, Okta's, Entra's. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'];

/** Where `oauth/own-tokens.ts` says what the token hangs on. It means something only with Baton's own `iss`. */
export const AUTHORIZATION = 'baton_authorization';

/** @throws Fault unauthenticated when a claim that counts is not what it must be, or nobody is named */
export function grantOfClaims(claims: Claims, agreement: Agreement): Grant {
  const user = userIn(claims, agreement);
  // Of a token without a user, the subject is the application.
  const claim = (user === undefined ? [...CLIENT_CLAIMS, 'sub'] : CLIENT_CLAIMS).find((name) => isThere(claims[name]));
  const client = claim === undefined ? undefined : clientIn(claims, claim);
  const reference = user ?? client;
  if (reference === undefined) throw new Fault('unauthenticated', 'The token names neither a user nor a client.');
  const purposes = purposesIn(claims);
  return {
    actor: {
      reference,
      kind: user === undefined ? 'client' : 'user',
      ...(user !== undefined && client !== undefined ? { client } : {}),
      ...(purposes.length > 0 ? { purposes } : {}),
    },
    scopes: parseScopes(scopeIn(claims)),
    issuer: agreement.issuer,
    ...(client === undefined ? {} : { client }),
    ...(typeof claims[AUTHORIZATION] === 'string' ? { authorization: claims[AUTHORIZATION] } : {}),
    ...contextOf(claims, agreement),
  };
}

/**
 * The person, undefined when the token names none. Somebody who is named but not understood is refused: as an application
 * they would get past the limits of people's roles.
 */
function userIn(claims: Claims, { userClaim, bases }: Agreement): string | undefined {
  const named = textAt(claims, userClaim);
  if (named === undefined) return undefined;
  const user = personOf(named, bases);
  if (user !== undefined) return user;
  throw new Fault('unauthenticated', `The claim \`${userClaim}\` of the token names nobody who can be a user.`);
}

/** Patient and encounter stand beside each other. */
function contextOf(claims: Claims, { patientClaims, bases }: Agreement): Pick<Grant, 'patient' | 'encounter'> {
  const at = patientClaims.find((path) => textAt(claims, path) !== undefined);
  const beside = at?.includes('.') && !Object.hasOwn(claims, at) ? at.replace(/[^.]+$/, 'encounter') : 'encounter';
  const patient = at === undefined ? undefined : patientIdOf(textAt(claims, at) ?? '', bases);
  const encounter = (textAt(claims, 'encounter') ?? textAt(claims, beside))?.replace(/^Encounter\//, '');
  return {
    ...(patient === undefined ? {} : { patient }),
    ...(encounter !== undefined && /^[A-Za-z0-9.-]{1,64}$/.test(encounter) ? { encounter } : {}),
  };
}

/** @param path the name of a claim, with or without dots in it, else names with dots between them */
function textAt(claims: Claims, path: string): string | undefined {
  const value = Object.hasOwn(claims, path) ? claims[path] : path.split('.').reduce(memberOf, claims as unknown);
  if (!isThere(value)) return undefined;
  if (typeof value === 'string') return value;
  throw new Fault('unauthenticated', 'A claim of the token that names a resource is not text.');
}

const isThere = (value: unknown) => value !== undefined && value !== null && value !== '';

/**
 * The id of an application. It goes into audit records, so it may be neither endless nor read like a resource of ours.
 * https://www.rfc-editor.org/rfc/rfc6749#appendix-A.1
 */
function clientIn(claims: Claims, claim: string): string {
  const value = claims[claim];
  const isName = typeof value === 'string' && /^[\x20-\x7e]{1,255}$/.test(value);
  if (isName && !/^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]+$/.test(value)) return value;
  throw new Fault('unauthenticated', `The claim \`${claim}\` of the token is no name of an application.`);
}
