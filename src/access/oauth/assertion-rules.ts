// What SMART asks of a client's signed assertion beyond what the library checks.
// https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html#authentication-jwt-payload
import type { Clock } from '../../clock.ts';
import { LEEWAY_SECONDS } from '../issuer.ts';
import { errors } from './library.ts';

const MAX_ASSERTION_SECONDS = 300;

/** @throws InvalidClientAuth */
export function checkAssertion(
  claims: Readonly<Record<string, unknown>>,
  audiences: readonly string[],
  clock: Clock,
): void {
  const now = clock.real().epochMilliseconds / 1000;
  if (claims.sub !== claims.iss) throw new errors.InvalidClientAuth('iss and sub must both be the client id');
  // The library also takes the issuer, which every endpoint of this server shares.
  if (![claims.aud].flat().some((audience) => audiences.includes(String(audience)))) {
    throw new errors.InvalidClientAuth('aud must be the URL of the token endpoint');
  }
  if (Number(claims.exp) > now + MAX_ASSERTION_SECONDS + LEEWAY_SECONDS) {
    throw new errors.InvalidClientAuth('exp must be at most five minutes ahead');
  }
  if (typeof claims.jti !== 'string') throw new errors.InvalidClientAuth('jti must be a text');
}
