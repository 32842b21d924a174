// SMART Backend Services, server side: a configured client proves who it is with a signed assertion and gets a
// short-lived access token. https://hl7.org/fhir/smart-app-launch/backend-services.html
import { compactVerify, createLocalJWKSet, type JWK } from 'jose';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { checkTimes, decode, LEEWAY_SECONDS, text } from './claims.ts';
import { issueToken } from './issue.ts';
import type { Keys } from './keys.ts';
import { isWithin, parseScopes } from './scopes.ts';

/** A backend service that may get tokens from Baton. */
export interface Client {
  readonly clientId: string;
  /** Scopes it may ask for, space-separated. */
  readonly scope: string;
  readonly jwks: { readonly keys: readonly JWK[] };
}

export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly expires_in: number;
  readonly scope: string;
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
export type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type';

/** What the token endpoint answers when it refuses. `message` is safe to send and to log. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;

  constructor(code: OAuthErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface TokenEndpointOptions {
  readonly clients: readonly Client[];
  readonly keys: Keys;
  /** Baton's base URL, without trailing slash. */
  readonly baseUrl: () => string;
  readonly clock: Clock;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_ALGORITHMS = ['ES384', 'RS384'];
const MAX_ASSERTION_SECONDS = 300;
const TOKEN_SECONDS = 300;

/**
 * @returns a function from the form of a token request to the token
 * @throws OAuthError
 */
export function createTokenEndpoint(options: TokenEndpointOptions) {
  const clients = new Map(options.clients.map((client) => [client.clientId, client]));
  const spent = createSpentAssertions(options.clock);

  return async (form: Readonly<Record<string, unknown>>): Promise<{ client: Client; response: TokenResponse }> => {
    if (form.grant_type !== 'client_credentials') {
      throw new OAuthError('unsupported_grant_type', 'grant_type must be client_credentials.');
    }
    if (form.client_assertion_type !== ASSERTION_TYPE || typeof form.client_assertion !== 'string') {
      throw new OAuthError(
        'invalid_request',
        `A client_assertion with client_assertion_type ${ASSERTION_TYPE} is needed.`,
      );
    }
    if (typeof form.scope !== 'string' || form.scope.trim() === '') {
      throw new OAuthError('invalid_scope', 'scope is needed.');
    }
    const client = await authenticate(form.client_assertion);
    const asked = parseScopes(form.scope);
    if (asked.resources.length + asked.doors.size === 0 || !isWithin(asked, parseScopes(client.scope))) {
      throw new OAuthError('invalid_scope', 'The client is not registered for all of these scopes.');
    }
    const access_token = await issueToken(options.keys.token, options.clock, {
      issuer: options.baseUrl(),
      audience: `${options.baseUrl()}/fhir/R4`,
      clientId: client.clientId,
      scope: form.scope,
      lifetimeSeconds: TOKEN_SECONDS,
    });
    return { client, response: { access_token, token_type: 'bearer', expires_in: TOKEN_SECONDS, scope: form.scope } };
  };

  async function authenticate(assertion: string): Promise<Client> {
    try {
      const { claims } = decode(assertion);
      const client = clients.get(text(claims, 'iss') ?? '');
      // One sentence for an unknown client and a wrong key, so that client ids cannot be found out by trying.
      if (!client)
        throw new OAuthError('invalid_client', 'The client is unknown or its assertion is not signed by it.');
      await verifyAssertion(assertion, client);
      checkTimes(claims, options.clock);
      const now = options.clock.real().epochMilliseconds / 1000;
      if (claims.sub !== claims.iss) throw new OAuthError('invalid_client', 'iss and sub must both be the client id.');
      if (![claims.aud].flat().includes(`${options.baseUrl()}/oauth/token`)) {
        throw new OAuthError('invalid_client', `aud must be ${options.baseUrl()}/oauth/token.`);
      }
      if (Number(claims.exp) > now + MAX_ASSERTION_SECONDS + LEEWAY_SECONDS) {
        throw new OAuthError('invalid_client', 'exp must be at most five minutes ahead.');
      }
      const jti = text(claims, 'jti');
      if (!jti || !spent(`${client.clientId} ${jti}`, Number(claims.exp))) {
        throw new OAuthError('invalid_client', 'jti must be there and may be used once.');
      }
      return client;
    } catch (error) {
      if (error instanceof Fault) throw new OAuthError('invalid_client', error.message);
      throw error;
    }
  }
}

async function verifyAssertion(assertion: string, client: Client): Promise<void> {
  try {
    await compactVerify(assertion, createLocalJWKSet({ keys: [...client.jwks.keys] }), {
      algorithms: ASSERTION_ALGORITHMS,
    });
  } catch {
    throw new OAuthError('invalid_client', 'The client is unknown or its assertion is not signed by it.');
  }
}

/** Remembers each assertion until it could no longer be accepted anyway. True the first time it is seen. */
function createSpentAssertions(clock: Clock): (key: string, expires: number) => boolean {
  const seen = new Map<string, number>();
  return (key, expires) => {
    const now = clock.real().epochMilliseconds / 1000;
    for (const [old, until] of seen) if (until + LEEWAY_SECONDS <= now) seen.delete(old);
    if (seen.has(key)) return false;
    seen.set(key, expires);
    return true;
  };
}
