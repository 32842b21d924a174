// Is this token meant to be shown to a server like this one? An issuer signs other things with the same key: id tokens,
// refresh tokens, logout tokens. https://www.rfc-editor.org/rfc/rfc9068#section-5
import { Fault } from '../fault.ts';
import type { Claims } from './claims.ts';

/** `typ` of access tokens; issuers that do not know RFC 9068 say `JWT` or nothing. */
const ACCESS_TOKEN_TYPES: readonly string[] = ['at+jwt', 'application/at+jwt'];
const UNSPECIFIC_TYPES: readonly unknown[] = ['jwt', 'application/jwt', undefined];

/** How issuers call an access token where the standard leaves the word to them. */
const OF_ACCESS_TOKENS = ['bearer', 'access', 'access_token', 'at+jwt', 'jwt'];
/** Claims that only id tokens and security events have. */
const OF_OTHER_TOKENS = ['at_hash', 'c_hash', 's_hash', 'events'];

/**
 * @param type the JOSE header `typ`
 * @param isStrict whether the issuer is known to follow RFC 9068
 * @throws Fault unauthenticated
 */
export function checkPurpose(type: unknown, claims: Claims, isStrict: boolean): void {
  const name = typeof type === 'string' ? type.toLowerCase() : type;
  if (ACCESS_TOKEN_TYPES.includes(name as string)) return;
  if (isStrict || !UNSPECIFIC_TYPES.includes(name) || isOtherToken(claims)) throw notAnAccessToken();
}

/**
 * Keycloak says in a claim `typ`, Cognito in `token_use`, introspection in `token_type`, what the header leaves open. A
 * `nonce` is an id token's unless one of them says otherwise.
 */
function isOtherToken(claims: Claims): boolean {
  const said = ['typ', 'token_use', 'token_type'].map((name) => claims[name] ?? undefined).filter(isThere);
  if (!said.every((kind) => typeof kind === 'string' && OF_ACCESS_TOKENS.includes(kind.toLowerCase()))) return true;
  return OF_OTHER_TOKENS.some((claim) => claim in claims) || ('nonce' in claims && said.length === 0);
}

const isThere = (value: unknown) => value !== undefined;

/**
 * A token that is bound to a key of its holder proves nothing when it arrives alone.
 * https://www.rfc-editor.org/rfc/rfc7800, https://www.rfc-editor.org/rfc/rfc9449, https://www.rfc-editor.org/rfc/rfc8705
 * @throws Fault unauthenticated
 */
export function refuseBound(claims: Claims): void {
  if (claims.cnf === undefined || claims.cnf === null) return;
  throw new Fault(
    'unauthenticated',
    'The token is bound to a key of its holder, which Baton cannot check (claim `cnf`).',
  );
}

const notAnAccessToken = () => new Fault('unauthenticated', 'The token is not an access token.');
