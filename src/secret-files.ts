// Secrets may stand in files of their own, where orchestrators put them: BATON_X_FILE names a file for BATON_X, and in the
// configuration file `passwordFile` one for `password`. Everything that reads a secret from a file does it here.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from './config-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Members of the configuration file, at any depth, that are secrets. */
const SECRET_MEMBERS = ['secret', 'clientSecret', 'password'];

/**
 * Reads a secret. Its group may read the file, as orchestrators arrange it; everybody may not.
 * @param setting what named the file, for the sentence
 * @returns the text without the line end that editors add
 * @throws ConfigError
 */
export function readSecret(path: string, setting: string): string {
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o007) !== 0) {
      throw new ConfigError(
        `${setting} names ${path}, which every user of this machine can use. Run: chmod 640 ${path}`,
      );
    }
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return text;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${setting} names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  throw new ConfigError(`${setting} names ${path}, which is empty.`);
}

/**
 * The environment with each of `names` that is given by a file filled in.
 * @throws ConfigError
 */
export function withSecretFiles(env: Environment, names: readonly string[]): Environment {
  const filled: Record<string, string> = {};
  for (const name of names) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    if (env[name]) throw new ConfigError(`${name} and ${name}_FILE are both set; keep one of them.`);
    filled[name] = readSecret(path, `${name}_FILE`);
  }
  return { ...env, ...filled };
}

/**
 * A configuration with each `passwordFile` replaced by its `password`.
 * @param folder where relative paths begin
 * @throws ConfigError
 */
export function withSecretMembers(value: unknown, folder: string, at = ''): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withSecretMembers(item, folder, `${at}/${index}`));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, child]) => {
    const secret = SECRET_MEMBERS.find((name) => key === `${name}File`);
    if (secret === undefined || typeof child !== 'string') {
      return [key, withSecretMembers(child, folder, `${at}/${key}`)] as const;
    }
    if (Object.hasOwn(value, secret)) throw new ConfigError(`${at} has both ${secret} and ${key}; keep one of them.`);
    return [secret, readSecret(resolve(folder, child), `${at}/${key}`)] as const;
  });
  return Object.fromEntries(members);
}
