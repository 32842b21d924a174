// The claims of an access token that this server made, as long as it lives.
import type { Provider as Library } from 'oidc-provider';
import type { Claims } from '../claims.ts';
import { AUTHORIZATION } from '../grant-of-claims.ts';
import type { Accounts } from './accounts.ts';
import type { ClientRegistry } from './client-registry.ts';
import { hashedId } from './state-table.ts';

export interface OwnTokens {
  readonly provider: Library;
  readonly issuer: string;
  readonly clients: Pick<ClientRegistry, 'find'>;
  readonly accounts: Pick<Accounts, 'find'>;
}

/** @returns undefined for what is not a living access token of this server */
export async function claimsOf(
  { provider, issuer, clients, accounts }: OwnTokens,
  token: string,
): Promise<Claims | undefined> {
  const user = await provider.AccessToken.find(token);
  const found = user ?? (await provider.ClientCredentials.find(token));
  if (!found?.isValid || found.clientId === undefined) return undefined;
  // Tokens are taken back with their client and account; these may be gone from a file, or while the token was being made.
  if (!(await clients.find(found.clientId))) return undefined;
  if (user && (await accounts.find(user.accountId))?.disabled !== false) return undefined;
  return {
    iss: issuer,
    aud: found.aud,
    client_id: found.clientId,
    sub: user?.accountId ?? found.clientId,
    scope: found.scope ?? '',
    exp: found.exp,
    iat: found.iat,
    ...found.extra,
    ...(user?.grantId === undefined ? {} : { [AUTHORIZATION]: hashedId(user.grantId) }),
  };
}
