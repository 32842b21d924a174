// SMART Backend Services: a signed assertion buys a short-lived token, which is kept until shortly before it ends.
// https://hl7.org/fhir/smart-app-launch/backend-services.html
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { Authorization, AuthorizationOptions, AuthorizationSettings, SigningKey } from './authorization.ts';
import { classifyStatus } from './classify.ts';
import type { HttpReply } from './client.ts';
import { failure, type Result, success } from './result.ts';

export type BackendServicesOptions = AuthorizationOptions & {
  readonly settings: Extract<AuthorizationSettings, { type: 'smart-backend' }>;
};

interface Token {
  readonly value: string;
  /** Epoch milliseconds of the machine's clock after which it is not used any more. */
  readonly until: number;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The standard allows five minutes; one is left for clocks that differ. */
const ASSERTION_SECONDS = 240;
const DEFAULT_LIFETIME_SECONDS = 300;

export function backendServices(options: BackendServicesOptions): Authorization {
  let token: Token | undefined;
  let asking: Promise<Result<Token>> | undefined;
  return {
    async header() {
      if (!token || options.clock.real().epochMilliseconds >= token.until) {
        // Everybody who needs a token meanwhile waits for the same one.
        asking ??= requestToken(options).finally(() => {
          asking = undefined;
        });
        const fresh = await asking;
        if (!fresh.ok) return fresh;
        token = fresh.value;
      }
      return success(`Bearer ${token.value}`);
    },
    renew() {
      token = undefined;
      return true;
    },
  };
}

async function requestToken(options: BackendServicesOptions): Promise<Result<Token>> {
  const { settings, key, send, clock } = options;
  if (!key) return refused('The connection has no signing key.');
  const endpoint = settings.tokenUrl ? success(settings.tokenUrl) : await discover(options);
  if (!endpoint.ok) return endpoint;
  const assertion = await sign(options, key, endpoint.value);
  if (!assertion.ok) return assertion;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: settings.scope,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion.value,
  });
  const reply = await send({
    method: 'POST',
    url: endpoint.value,
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
    safe: true,
  });
  if (!reply.ok) return reply;
  const answer = readObject(reply.value);
  if (reply.value.status !== 200) return tokenRefused(reply.value, answer);
  if (typeof answer.access_token !== 'string' || answer.access_token === '') {
    return refused('The token endpoint answered without a token.');
  }
  const lifetime = typeof answer.expires_in === 'number' ? answer.expires_in : DEFAULT_LIFETIME_SECONDS;
  const margin = Math.min(60, lifetime / 10);
  const until = clock.real().epochMilliseconds + (lifetime - margin) * 1000;
  return success({ value: answer.access_token, until });
}

/** https://hl7.org/fhir/smart-app-launch/conformance.html */
async function discover({ baseUrl, send }: BackendServicesOptions): Promise<Result<string>> {
  const url = `${baseUrl}/.well-known/smart-configuration`;
  const reply = await send({ method: 'GET', url, headers: { accept: 'application/json' } });
  if (!reply.ok) return reply;
  const endpoint = readObject(reply.value).token_endpoint;
  if (reply.value.status === 200 && typeof endpoint === 'string' && URL.canParse(endpoint)) return success(endpoint);
  if (reply.value.status >= 500)
    return failure({ class: 'transient', message: 'The SMART configuration is unavailable.' });
  return refused('The server has no SMART configuration with a token endpoint; set auth.tokenUrl.');
}

async function sign(options: BackendServicesOptions, key: SigningKey, audience: string): Promise<Result<string>> {
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
    return refused(`The signing key cannot be used for ${key.alg}.`);
  }
}

function tokenRefused(reply: HttpReply, answer: Record<string, unknown>): Result<never> {
  const kind = classifyStatus(reply.status, true);
  const error =
    typeof answer.error === 'string' && /^[\w-]{1,40}$/.test(answer.error) ? answer.error : 'no reason given';
  const message = `The token endpoint answered ${reply.status} (${error}).`;
  return failure({ class: kind === 'transient' ? 'transient' : 'auth', message, status: reply.status });
}

function refused(message: string): Result<never> {
  return failure({ class: 'auth', message });
}

function readObject(reply: HttpReply): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(reply.text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
