// The `baton client` and `baton user` commands: who may ask for tokens, and who may sign in.
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { JWK } from 'jose';
import type { AuthorizationServer } from './access/oauth/authorization-server.ts';
import { hashSecret, isConfidential, newSecret, type Registration } from './access/oauth/registration.ts';
import { Fault } from './fault.ts';
import type { Actor, AuditRecord, Store } from './store/store.ts';

export interface AccessCommandParts {
  readonly authorization: Pick<AuthorizationServer, 'clients' | 'accounts'>;
  readonly actor: Actor;
  readonly audit: Store['audit'];
  readonly print: (text: string) => void;
}

/** As given on the command line. */
export interface ClientOptions {
  readonly name?: string | undefined;
  readonly scope?: string | undefined;
  readonly redirect?: readonly string[] | undefined;
  readonly launch?: string | undefined;
  readonly jwks?: string | undefined;
  readonly 'jwks-url'?: string | undefined;
  readonly public?: boolean | undefined;
  readonly trusted?: boolean | undefined;
}

/**
 * Without keys and without `--public` the client gets a secret, which is shown once and kept as a hash.
 * @throws RegistrationError, Fault
 */
export async function addClient(parts: AccessCommandParts, clientId: string, options: ClientOptions): Promise<void> {
  if (options.scope === undefined)
    throw new Fault('invalid', 'Say what it may ask for: --scope "launch patient/*.rs".');
  const signs = options.jwks !== undefined || options['jwks-url'] !== undefined;
  const secret = signs || options.public ? undefined : newSecret();
  const client: Registration = {
    clientId,
    name: options.name ?? clientId,
    scope: options.scope,
    redirectUris: options.redirect ?? [],
    launchUrl: options.launch,
    jwks: options.jwks === undefined ? undefined : readKeys(options.jwks),
    jwksUrl: options['jwks-url'],
    secretHash: secret === undefined ? undefined : hashSecret(secret),
    trusted: options.trusted ?? false,
  };
  await parts.authorization.clients.add(parts.actor, client);
  record(parts, 'client-add', 'C', { client: clientId, scope: client.scope });
  parts.print(`Client ${clientId} may ask for: ${client.scope}`);
  if (secret === undefined) return;
  parts.print(`Its secret, shown only now: ${secret}`);
}

export async function listClients(parts: AccessCommandParts): Promise<void> {
  for (const client of await parts.authorization.clients.list()) {
    const { clientId, name, scope, redirectUris, trusted } = client;
    const kind = `${isConfidential(client) ? 'confidential' : 'public'}${trusted ? ', trusted' : ''}`;
    parts.print([clientId, name, kind, redirectUris.join(' '), scope].filter((part) => part !== '').join('  '));
  }
}

/** Also takes back the tokens it has. @throws Fault not-found | conflict */
export async function removeClient(parts: AccessCommandParts, clientId: string): Promise<void> {
  await parts.authorization.clients.remove(parts.actor, clientId);
  record(parts, 'client-remove', 'D', { client: clientId });
  parts.print(`Client ${clientId} is gone, and its tokens with it.`);
}

/** @param input where the password comes from: never the command line, which others can see */
export async function addUser(
  parts: AccessCommandParts,
  username: string,
  fhirUser: string,
  input: NodeJS.ReadableStream,
): Promise<void> {
  const account = await parts.authorization.accounts.add(parts.actor, username, fhirUser, await passwordFrom(input));
  record(parts, 'user-add', 'C', { user: username, fhirUser: account.fhirUser });
  parts.print(`${username} may sign in as ${account.fhirUser}.`);
}

export async function listUsers(parts: AccessCommandParts): Promise<void> {
  for (const { id, username, fhirUser, disabled } of await parts.authorization.accounts.list()) {
    parts.print(`${username ?? id}  ${fhirUser}${disabled ? '  disabled' : ''}`);
  }
}

/** @throws Fault not-found */
export async function disableUser(parts: AccessCommandParts, username: string): Promise<void> {
  await parts.authorization.accounts.disable(parts.actor, username);
  record(parts, 'user-disable', 'U', { user: username });
  parts.print(`${username} may not sign in any more; tokens and sessions have ended.`);
}

/** @throws Fault not-found | invalid */
export async function setUserPassword(
  parts: AccessCommandParts,
  username: string,
  input: NodeJS.ReadableStream,
): Promise<void> {
  await parts.authorization.accounts.setPassword(parts.actor, username, await passwordFrom(input));
  record(parts, 'user-password', 'U', { user: username });
  parts.print(`${username} has a new password; tokens and sessions have ended.`);
}

/** Who may get in is as much a matter of the trail as who got in. */
function record(
  { actor, audit }: AccessCommandParts,
  interaction: string,
  action: AuditRecord['action'],
  whom: Readonly<Record<string, string>>,
): void {
  audit({ actor, interaction, action, status: 200, query: new URLSearchParams(whom).toString() });
}

/** The first line. */
async function passwordFrom(input: NodeJS.ReadableStream): Promise<string> {
  const [line = ''] = (await text(input)).split(/\r?\n/);
  return line;
}

/** @throws Fault invalid */
function readKeys(file: string): { keys: JWK[] } {
  try {
    const { keys } = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(keys) && keys.length > 0) return { keys };
  } catch (cause) {
    throw new Fault('invalid', `${file} cannot be read as a JSON Web Key Set.`, { cause });
  }
  throw new Fault('invalid', `${file} is no JSON Web Key Set: {"keys": [...]}.`);
}
