// SMART Backend Services: a signed assertion buys a short-lived token.
// https://hl7.org/fhir/smart-app-launch/backend-services.html
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import {
  type Authorization,
  type AuthorizationOptions,
  type SettingsOf,
  type SigningKey,
  unusable,
} from './authorization.ts';
import { type Result, success } from './result.ts';
import { boughtToken, findEndpoint, requestToken, type Token } from './token-endpoint.ts';

type Options = AuthorizationOptions<SettingsOf<'smart-backend'>>;

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The standard allows five minutes; one is left for clocks that differ. */
const ASSERTION_SECONDS = 240;

export function backendServices(options: Options): Authorization {
  return boughtToken(options.clock, () => buy(options));
}

async function buy(options: Options): Promise<Result<Token>> {
  const { settings, keys, send, baseUrl } = options;
  const endpoint = await findEndpoint(send, baseUrl, settings.tokenUrl);
  if (!endpoint.ok) return endpoint;
  const { url, algorithms } = endpoint.value;
  const algorithm = settings.algorithm ?? algorithms[0] ?? 'ES384';
  const key = keys[algorithm];
  if (!key) return unusable(`The connection has no signing key for ${algorithm}.`);
  const assertion = await sign(options, key, url);
  if (!assertion.ok) return assertion;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: settings.scope,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion.value,
  });
  return requestToken(options, url, form);
}

async function sign(options: Options, key: SigningKey, audience: string): Promise<Result<string>> {
  const { settings, clock } = options;
  const now = Math.floor(clock.real().epochMilliseconds / 1000);
  try {
    const jwt = new SignJWT({})
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT' })
      .setIssuer(settings.clientId)
      .setSubject(settings.clientId)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_SECONDS);
    return success(await jwt.sign(await importJWK({ ...key }, key.alg)));
  } catch {
    return unusable(`The signing key cannot be used for ${key.alg}.`);
  }
}
