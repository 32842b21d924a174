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
  /** Where passwords come from: never the command line, which others can see. */
  readonly input: NodeJS.ReadableStream;
  readonly print: (text: string) => void;
}

/** As given on the command line. */
export interface AccessOptions {
  readonly 'fhir-user'?: string | undefined;
  readonly name?: string | undefined;
  readonly scope?: string | undefined;
  readonly redirect?: readonly string[] | undefined;
  readonly launch?: string | undefined;
  readonly jwks?: string | undefined;
  readonly 'jwks-url'?: string | undefined;
  readonly public?: boolean | undefined;
  readonly trusted?: boolean | undefined;
}

export interface AccessCommand {
  readonly words: string;
  readonly does: string;
  run(parts: AccessCommandParts, words: readonly string[], options: AccessOptions): Promise<void>;
}

export const ACCESS_COMMANDS: readonly AccessCommand[] = [
  {
    words: 'client add',
    does: 'register ID --scope "..." [--redirect URL …] [--launch URL] [--jwks FILE | --jwks-url URL | --public] [--trusted]',
    run: (parts, [id], options) => addClient(parts, named(id, 'the client'), options),
  },
  { words: 'client list', does: 'list the applications that may ask for tokens', run: listClients },
  {
    words: 'client remove',
    does: 'take ID away, and its tokens',
    run: (parts, [id]) => removeClient(parts, named(id, 'the client')),
  },
  {
    words: 'user add',
    does: 'let NAME sign in --fhir-user Practitioner/12; the password comes from standard input',
    run: (parts, [name], { 'fhir-user': fhirUser }) =>
      addUser(parts, named(name, 'the user'), named(fhirUser, 'who that is, with --fhir-user Practitioner/12')),
  },
  { words: 'user list', does: 'list who may sign in', run: listUsers },
  {
    words: 'user disable',
    does: 'keep NAME out, at once; people of an identity provider by the id that `user list` shows',
    run: (parts, [name]) => disableUser(parts, named(name, 'the user')),
  },
  {
    words: 'user password',
    does: 'give NAME a new password, from standard input',
    run: (parts, [name]) => setUserPassword(parts, named(name, 'the user')),
  },
];

/** @throws Fault invalid */
function named(word: string | undefined, what: string): string {
  if (word) return word;
  throw new Fault('invalid', `Name ${what}.`);
}

/**
 * Without keys and without `--public` the client gets a secret, which is shown once and kept as a hash.
 * @throws RegistrationError, Fault
 */
async function addClient(parts: AccessCommandParts, clientId: string, options: AccessOptions): Promise<void> {
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

async function listClients(parts: AccessCommandParts): Promise<void> {
  for (const client of await parts.authorization.clients.list()) {
    const { clientId, name, scope, redirectUris, trusted } = client;
    const kind = `${isConfidential(client) ? 'confidential' : 'public'}${trusted ? ', trusted' : ''}`;
    parts.print([clientId, name, kind, redirectUris.join(' '), scope].filter((part) => part !== '').join('  '));
  }
}

/** Also takes back the tokens it has. @throws Fault not-found | conflict */
async function removeClient(parts: AccessCommandParts, clientId: string): Promise<void> {
  await parts.authorization.clients.remove(parts.actor, clientId);
  record(parts, 'client-remove', 'D', { client: clientId });
  parts.print(`Client ${clientId} is gone, and its tokens with it.`);
}

async function addUser(parts: AccessCommandParts, username: string, fhirUser: string): Promise<void> {
  const password = await passwordFrom(parts.input);
  const account = await parts.authorization.accounts.add(parts.actor, username, fhirUser, password);
  record(parts, 'user-add', 'C', { user: username, fhirUser: account.fhirUser });
  parts.print(`${username} may sign in as ${account.fhirUser}.`);
}

async function listUsers(parts: AccessCommandParts): Promise<void> {
  for (const { id, username, fhirUser, disabled } of await parts.authorization.accounts.list()) {
    parts.print(`${username ?? id}  ${fhirUser}${disabled ? '  disabled' : ''}`);
  }
}

/** @throws Fault not-found */
async function disableUser(parts: AccessCommandParts, username: string): Promise<void> {
  await parts.authorization.accounts.disable(parts.actor, username);
  record(parts, 'user-disable', 'U', { user: username });
  parts.print(`${username} may not sign in any more; tokens and sessions have ended.`);
}

/** @throws Fault not-found | invalid */
async function setUserPassword(parts: AccessCommandParts, username: string): Promise<void> {
  await parts.authorization.accounts.setPassword(parts.actor, username, await passwordFrom(parts.input));
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
