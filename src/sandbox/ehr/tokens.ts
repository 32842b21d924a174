// The simulated EHR's own token endpoint: SMART Backend Services, client_credentials with a signed assertion.
// https://hl7.org/fhir/smart-app-launch/backend-services.html
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, errors, type JWK, type JWTPayload, jwtVerify } from 'jose';

export interface TokenServerOptions {
  readonly clientId: string;
  /** The client's public keys. */
  readonly jwks: { readonly keys: readonly JWK[] };
  /** Audience that assertions must name; a function because the port may be known only after listening. */
  readonly tokenUrl: () => string;
  /** The machine's clock: nobody moves the life of a token. */
  readonly real: () => Temporal.Instant;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface TokenServer {
  /** Answers a token request after RFC 6749 §5. */
  issue(form: URLSearchParams): Promise<TokenAnswer>;
  /** A token for the hospital's own people, who sign in at the EHR itself. */
  staffToken(): string;
  accepts(token: string): boolean;
}

const LIFE_SECONDS = 300;
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export function createTokenServer(options: TokenServerOptions): TokenServer {
  const keys = createLocalJWKSet({ keys: [...options.jwks.keys] });
  const tokens = new Map<string, number>();
  const seen = new Map<string, number>();
  const now = () => options.real().epochMilliseconds / 1000;

  const verify = async (assertion: string): Promise<JWTPayload> => {
    const { payload } = await jwtVerify(assertion, keys, {
      issuer: options.clientId,
      subject: options.clientId,
      audience: options.tokenUrl(),
      algorithms: ['ES384', 'RS384'],
      requiredClaims: ['exp', 'jti'],
    });
    return payload;
  };

  const mint = (): string => {
    const token = randomBytes(32).toString('base64url');
    forget(tokens, now());
    tokens.set(token, now() + LIFE_SECONDS);
    return token;
  };

  return {
    staffToken: mint,
    async issue(form) {
      if (form.get('grant_type') !== 'client_credentials')
        return refuse('unsupported_grant_type', 'Use client_credentials.');
      if (form.get('client_assertion_type') !== ASSERTION) return refuse('invalid_request', `Use ${ASSERTION}.`);
      const scope = form.get('scope') ?? '';
      if (!/^system\/\S+( system\/\S+)*$/.test(scope)) return refuse('invalid_scope', 'Ask for system/… scopes.');
      let claims: JWTPayload;
      try {
        claims = await verify(form.get('client_assertion') ?? '');
      } catch (error) {
        if (error instanceof errors.JOSEError)
          return refuse('invalid_client', `The assertion is not valid: ${error.code}.`);
        throw error;
      }
      const { jti = '', exp = 0 } = claims;
      if (exp > now() + LIFE_SECONDS + 5)
        return refuse('invalid_client', 'The assertion lives longer than five minutes.');
      forget(seen, now());
      if (seen.has(jti)) return refuse('invalid_client', 'This assertion was used before.');
      seen.set(jti, exp);
      const token = mint();
      return { status: 200, body: { access_token: token, token_type: 'bearer', expires_in: LIFE_SECONDS, scope } };
    },
    accepts: (token) => (tokens.get(token) ?? 0) > now(),
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
