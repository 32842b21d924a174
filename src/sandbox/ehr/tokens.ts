// The simulated EHR's own token endpoint: SMART Backend Services, client_credentials with a signed assertion.
// https://hl7.org/fhir/smart-app-launch/backend-services.html
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, errors, type JWK, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

export interface TokenServerOptions {
  readonly clientId: string;
  /** The client's public keys: themselves, or how the one for an assertion is found. */
  readonly keys: { readonly keys: readonly JWK[] } | JWTVerifyGetKey;
  /** Audience that assertions must name; a function because the port may be known only after listening. */
  readonly tokenUrl: () => string;
  /** The machine's clock: nobody moves the life of a token. */
  readonly real: () => Temporal.Instant;
  /** Seconds that tokens live; asked for each. 300 when absent. */
  readonly life?: () => number;
  /** What tokens age by; `real` when absent. */
  readonly now?: () => Temporal.Instant;
  /** ES384 and RS384 when absent. */
  readonly algorithms?: readonly string[];
  /** One scope of a request; anything that starts with `system/` when absent. */
  readonly acceptsScope?: (scope: string) => boolean;
  /** Taken instead of an assertion, in the Authorization header (client_secret_basic). */
  readonly secret?: string;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface TokenServer {
  /** Answers a token request after RFC 6749 §5. @param basic credentials of an Authorization header */
  issue(form: URLSearchParams, basic?: string): Promise<TokenAnswer>;
  /** A token for the hospital's own people, who sign in at the EHR itself. */
  staffToken(): string;
  accepts(token: string): boolean;
  /** Scopes of a token that is good now. */
  scopesOf(token: string): readonly string[] | undefined;
  /** Ends all tokens. */
  expire(): void;
}

const LIFE_SECONDS = 300;
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export function createTokenServer(options: TokenServerOptions): TokenServer {
  const keys = typeof options.keys === 'function' ? options.keys : createLocalJWKSet({ keys: [...options.keys.keys] });
  const tokens = new Map<string, { readonly until: number; readonly scopes: readonly string[] }>();
  const seen = new Map<string, number>();
  const seconds = (instant: Temporal.Instant) => instant.epochMilliseconds / 1000;
  const real = () => seconds(options.real());
  const now = () => seconds((options.now ?? options.real)());
  const life = () => options.life?.() ?? LIFE_SECONDS;
  const acceptsScope = options.acceptsScope ?? ((scope) => scope.startsWith('system/'));

  const verify = async (assertion: string): Promise<JWTPayload> => {
    const { payload } = await jwtVerify(assertion, keys, {
      issuer: options.clientId,
      subject: options.clientId,
      audience: options.tokenUrl(),
      algorithms: [...(options.algorithms ?? ['ES384', 'RS384'])],
      requiredClaims: ['exp', 'jti'],
    });
    return payload;
  };

  const mint = (scopes: readonly string[] = ['system/*.cruds']): string => {
    const token = randomBytes(32).toString('base64url');
    for (const [old, { until }] of tokens) if (until < now()) tokens.delete(old);
    tokens.set(token, { until: now() + life(), scopes });
    return token;
  };

  const give = (scope: string): TokenAnswer => {
    const token = mint(scope.split(' '));
    return { status: 200, body: { access_token: token, token_type: 'bearer', expires_in: life(), scope } };
  };

  const scopesOf = (token: string) => {
    const known = tokens.get(token);
    return known && known.until > now() ? known.scopes : undefined;
  };

  return {
    staffToken: () => mint(),
    scopesOf,
    expire: () => tokens.clear(),
    async issue(form, basic) {
      if (form.get('grant_type') !== 'client_credentials')
        return refuse('unsupported_grant_type', 'Use client_credentials.');
      const scope = form.get('scope') ?? '';
      if (!/^\S+( \S+)*$/.test(scope) || !scope.split(' ').every(acceptsScope))
        return refuse('invalid_scope', 'Ask for system/… scopes.');
      if (options.secret !== undefined && basic !== undefined) {
        const given = Buffer.from(basic, 'base64').toString('utf8');
        if (given === `${options.clientId}:${options.secret}`) return give(scope);
        return refuse('invalid_client', 'Client id or secret is wrong.');
      }
      if (form.get('client_assertion_type') !== ASSERTION) return refuse('invalid_request', `Use ${ASSERTION}.`);
      let claims: JWTPayload;
      try {
        claims = await verify(form.get('client_assertion') ?? '');
      } catch (error) {
        if (error instanceof errors.JOSEError)
          return refuse('invalid_client', `The assertion is not valid: ${error.code}.`);
        throw error;
      }
      const { jti = '', exp = 0 } = claims;
      if (exp > real() + LIFE_SECONDS + 5)
        return refuse('invalid_client', 'The assertion lives longer than five minutes.');
      forget(seen, real());
      if (seen.has(jti)) return refuse('invalid_client', 'This assertion was used before.');
      seen.set(jti, exp);
      return give(scope);
    },
    accepts: (token) => scopesOf(token) !== undefined,
  };
}

/** What a client reads to find the endpoint. https://hl7.org/fhir/smart-app-launch/conformance.html */
export function smartConfiguration(tokenUrl: string): Record<string, unknown> {
  return {
    token_endpoint: tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
    scopes_supported: ['system/*.cruds'],
    capabilities: ['client-confidential-asymmetric', 'permission-v2'],
  };
}

function refuse(error: string, description: string): TokenAnswer {
  return { status: error === 'invalid_client' ? 401 : 400, body: { error, error_description: description } };
}

function forget(entries: Map<string, number>, now: number): void {
  for (const [key, until] of entries) if (until < now) entries.delete(key);
}
