// The `clients` and `login` sections of the configuration file as the authorization server takes them: secrets read from
// their files, those of clients kept as hashes only.
import { readFileSync } from 'node:fs';
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
  readonly secretFile?: string;
  readonly redirectUris: readonly string[];
  readonly launchUrl?: string;
  readonly trusted: boolean;
}

export interface LoginConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly clientSecretFile?: string;
  readonly claim: string;
}

/** A shorter secret could be guessed from its hash. */
const MIN_SECRET_LENGTH = 24;

/** @throws Error with a sentence for who wrote the file */
export function registrationsOf(clients: readonly ClientConfig[]): Registration[] {
  return clients.map((client) => {
    const { clientId, name = clientId, type, scope, jwks, jwksUrl, redirectUris, launchUrl, trusted } = client;
    const secret = secretOf(`client ${clientId}`, client.secret, client.secretFile);
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
  const clientSecret = secretOf('login', login.clientSecret, login.clientSecretFile);
  if (clientSecret === undefined) throw new Error('login needs clientSecret or clientSecretFile.');
  const { issuer, clientId, claim } = login;
  return { issuer, clientId, claim, clientSecret };
}

function secretOf(what: string, given: string | undefined, path: string | undefined): string | undefined {
  if (path === undefined) return given;
  if (given !== undefined) throw new Error(`${what} has both a secret and the file of one; give one of them.`);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`The secret of ${what} cannot be read from ${path} (${(error as NodeJS.ErrnoException).code}).`);
  }
}
