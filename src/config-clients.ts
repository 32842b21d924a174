// The `clients` and `login` sections of the configuration file as the authorization server takes them: of the secrets of
// clients hashes only.
import type { JWK } from 'jose';
import type { OutsideLoginConfig } from './access/oauth/outside-login.ts';
import { checkRegistration, hashSecret, isConfidential, type Registration } from './access/oauth/registration.ts';

export interface ClientConfig {
  readonly clientId: string;
  readonly name?: string;
  readonly type?: 'public' | 'confidential';
  readonly scope: string;
  readonly jwks?: { readonly keys: readonly Record<string, unknown>[] };
  readonly jwksUrl?: string;
  readonly secret?: string;
  readonly redirectUris: readonly string[];
  readonly launchUrl?: string;
  readonly trusted: boolean;
}

export interface LoginConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly claim: string;
}

/** A shorter secret could be guessed from its hash. */
const MIN_SECRET_LENGTH = 24;

/** @throws Error with a sentence for who wrote the file */
export function registrationsOf(clients: readonly ClientConfig[]): Registration[] {
  return clients.map((client) => {
    const { clientId, name = clientId, type, scope, jwks, jwksUrl, redirectUris, launchUrl, trusted } = client;
    const { secret } = client;
    if (secret !== undefined && secret.length < MIN_SECRET_LENGTH) {
      throw new Error(`The secret of client ${clientId} has fewer than ${MIN_SECRET_LENGTH} characters.`);
    }
    const registration: Registration = {
      clientId,
      name,
      scope,
      redirectUris,
      launchUrl,
      jwks: jwks as { keys: readonly JWK[] } | undefined,
      jwksUrl,
      secretHash: secret === undefined ? undefined : hashSecret(secret),
      trusted,
    };
    if (type !== undefined && (type === 'confidential') !== isConfidential(registration)) {
      throw new Error(
        `Client ${clientId} is ${type}, so it must have ${type === 'public' ? 'neither keys nor a secret' : 'keys or a secret'}.`,
      );
    }
    return checkRegistration(registration);
  });
}

/** @throws Error with a sentence for who wrote the file */
export function loginOf(login: LoginConfig | undefined): OutsideLoginConfig | undefined {
  if (!login) return undefined;
  const { issuer, clientId, claim, clientSecret } = login;
  if (clientSecret === undefined) throw new Error('login needs clientSecret or clientSecretFile.');
  return { issuer, clientId, claim, clientSecret };
}
