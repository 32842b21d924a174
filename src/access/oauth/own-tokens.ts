// The claims of an access token that this server made, as long as it lives.
import type { Provider as Library } from 'oidc-provider';
import type { Claims } from '../claims.ts';

/** @returns undefined for what is not a living access token of this server */
export async function claimsOf(provider: Library, issuer: string, token: string): Promise<Claims | undefined> {
  const user = await provider.AccessToken.find(token);
  const found = user ?? (await provider.ClientCredentials.find(token));
  if (!found?.isValid || found.clientId === undefined) return undefined;
  return {
    iss: issuer,
    aud: found.aud,
    client_id: found.clientId,
    sub: user?.accountId ?? found.clientId,
    scope: found.scope ?? '',
    exp: found.exp,
    iat: found.iat,
    ...found.extra,
  };
}
