// What a client reads to find the token endpoint. https://hl7.org/fhir/smart-app-launch/conformance.html
import type { VendorRules } from '../vendors/vendor-rules.ts';

export function smartConfiguration(tokenUrl: string, { tokens }: VendorRules): Record<string, unknown> {
  const methods = ['private_key_jwt', ...(tokens.secret ? ['client_secret_basic'] : [])];
  return {
    token_endpoint: tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: tokens.algorithms,
    scopes_supported: tokens.scopes === 'v1' ? ['system/*.read', 'system/*.write'] : ['system/*.cruds', 'system/*.*'],
    capabilities: ['client-confidential-asymmetric', tokens.scopes === 'v1' ? 'permission-v1' : 'permission-v2'],
  };
}
