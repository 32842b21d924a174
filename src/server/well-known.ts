// Discovery for clients: public keys, and what of SMART on FHIR and OpenID Connect works here.
// https://hl7.org/fhir/smart-app-launch/conformance.html
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { CONTEXT_SCOPES } from '../access/oauth/asked-scopes.ts';
import { ENDPOINTS } from '../access/oauth/provider.ts';
import { DOORS } from '../access/scopes.ts';
import { FHIR_PATH } from '../fhir/base-url.ts';

const CAPABILITIES = [
  'launch-ehr',
  'launch-standalone',
  'authorize-post',
  'client-public',
  'client-confidential-symmetric',
  'client-confidential-asymmetric',
  'sso-openid-connect',
  'context-banner',
  'context-ehr-patient',
  'context-ehr-encounter',
  'context-standalone-patient',
  'context-standalone-encounter',
  'permission-offline',
  'permission-online',
  'permission-patient',
  'permission-user',
  'permission-v1',
  'permission-v2',
];

export function serveWellKnown(server: FastifyInstance, access: Access, baseUrl: () => string): void {
  const open = { config: { open: true } };
  server.get('/.well-known/jwks.json', open, async (_request, reply) => {
    return reply.header('cache-control', 'public, max-age=3600').send(access.jwks);
  });
  server.get(`${FHIR_PATH}/.well-known/smart-configuration`, open, async () => ({
    ...shared(baseUrl()),
    capabilities: CAPABILITIES,
  }));
  server.get('/.well-known/openid-configuration', open, async () => ({
    ...shared(baseUrl()),
    end_session_endpoint: `${baseUrl()}${ENDPOINTS.logout}`,
    response_modes_supported: ['query'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: ['sub', 'fhirUser', 'preferred_username', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce'],
    authorization_response_iss_parameter_supported: true,
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }));
}

/** What both documents say. */
function shared(base: string) {
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
  const algorithms = ['RS384', 'ES384'];
  return {
    issuer: base,
    jwks_uri: `${base}/.well-known/jwks.json`,
    authorization_endpoint: `${base}${ENDPOINTS.authorize}`,
    token_endpoint: `${base}${ENDPOINTS.token}`,
    introspection_endpoint: `${base}${ENDPOINTS.introspect}`,
    revocation_endpoint: `${base}${ENDPOINTS.revoke}`,
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    response_types_supported: ['code'],
    token_endpoint_auth_methods_supported: [...methods, 'none'],
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: [...methods, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    code_challenge_methods_supported: ['S256'],
    scopes_supported: [...CONTEXT_SCOPES, 'patient/*.cruds', 'user/*.cruds', 'system/*.cruds', ...DOORS],
  };
}
