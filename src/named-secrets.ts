// Secrets that connections name. What the configuration file names may be anywhere; what came through /ops may not: who
// manages connections could otherwise have any file or variable of this machine sent to a server of their choice.
import { realpathSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { ConfigError } from './config-error.ts';
import { Fault } from './fault.ts';
import type { NamedSecret } from './remote/named-secret.ts';
import { type Environment, readSecret } from './secret-files.ts';
import type { ConnectionSource } from './sync/connections/settings.ts';

/** Variables that every connection may name. */
export const SECRET_PREFIX = 'BATON_SECRET_';

/** @throws Fault unavailable when it is missing, forbidden when it may not be named */
export type ReadNamedSecret = (secret: NamedSecret, source: ConnectionSource) => string;

/** @param folders where relative paths begin: beside the configuration file, and of BATON_SECRETS_DIR */
export function namedSecrets(
  env: Environment,
  folders: { readonly configured: string | undefined; readonly managed: string | undefined },
): ReadNamedSecret {
  return (secret, source) => {
    if ('env' in secret) return fromVariable(env, secret.env, source);
    if (source === 'file') return fromFile(resolve(folders.configured ?? '.', secret.file));
    return fromFile(inside(folders.managed, secret.file));
  };
}

function fromVariable(env: Environment, name: string, source: ConnectionSource): string {
  if (source === 'ops' && !name.startsWith(SECRET_PREFIX)) {
    throw new Fault(
      'forbidden',
      `A connection made through /ops may only name variables that begin with ${SECRET_PREFIX}, not ${name}.`,
    );
  }
  const value = env[name];
  if (!value)
    throw new Fault(
      'unavailable',
      `The environment variable ${name}, which holds a secret of the connection, is not set.`,
    );
  return value;
}

function fromFile(path: string): string {
  try {
    return readSecret(path, 'The connection');
  } catch (error) {
    if (error instanceof ConfigError) throw new Fault('unavailable', error.message);
    throw error;
  }
}

/** The path, when neither dots nor links lead out of the folder. */
function inside(folder: string | undefined, file: string): string {
  if (!folder) {
    throw new Fault('forbidden', 'A connection made through /ops may name files only when BATON_SECRETS_DIR is set.');
  }
  const path = resolve(folder, file);
  const target = real(path);
  if (!isInside(resolve(folder), path) || (target && !isInside(real(folder) ?? folder, target))) {
    throw new Fault(
      'forbidden',
      `A connection made through /ops may only name files in BATON_SECRETS_DIR, not ${file}.`,
    );
  }
  return path;
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

/** Where links lead; undefined when nothing is there. */
function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
