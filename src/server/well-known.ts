// Discovery for clients: public keys, and what of SMART on FHIR works here.
// https://hl7.org/fhir/smart-app-launch/conformance.html
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { DOORS } from '../access/scopes.ts';
import { FHIR_PATH } from './fhir/context.ts';

export const TOKEN_PATH = '/oauth/token';

export function serveWellKnown(server: FastifyInstance, access: Access, baseUrl: () => string): void {
  const open = { config: { open: true } };
  server.get('/.well-known/jwks.json', open, async (_request, reply) => {
    return reply.header('cache-control', 'public, max-age=3600').send(access.jwks);
  });
  server.get(`${FHIR_PATH}/.well-known/smart-configuration`, open, async () => ({
    issuer: baseUrl(),
    jwks_uri: `${baseUrl()}/.well-known/jwks.json`,
    token_endpoint: `${baseUrl()}${TOKEN_PATH}`,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    scopes_supported: ['system/*.cruds', 'user/*.cruds', 'patient/*.rs', ...DOORS],
    // Required by SMART although nothing here uses PKCE: there is no authorization endpoint yet.
    code_challenge_methods_supported: ['S256'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  }));
}
