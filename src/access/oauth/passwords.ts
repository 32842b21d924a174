// Passwords as scrypt hashes, each with a salt of its own. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** scrypt's parameters; a hash carries those that it was made with. */
export interface PasswordCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** A third of a second of a processor: what guessing costs, too. */
const COST: PasswordCost = { N: 2 ** 15, r: 8, p: 3 };
const MOST_MEMORY = 64 * 1024 * 1024;
const HASH_BYTES = 32;

/** A password shorter than this is refused when it is set. */
export const MIN_PASSWORD_LENGTH = 12;
/** Longer ones are refused unread, so that nobody can make Baton hash megabytes. */
export const MAX_PASSWORD_LENGTH = 1_024;

/** @returns `scrypt$N$r$p$salt$hash` */
export async function hashPassword(password: string, cost = COST): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/**
 * Takes as long for a name that nobody has (`stored` undefined) as for a wrong password.
 * @param cost what hashes are made with
 */
export async function isPassword(password: string, stored: string | undefined, cost = COST): Promise<boolean> {
  const [, N = cost.N, r = cost.r, p = cost.p, salt = '', expected = ''] = stored?.split('$') ?? [];
  const paid = { N: Number(N), r: Number(r), p: Number(p) };
  const actual = await derive(password.slice(0, MAX_PASSWORD_LENGTH), Buffer.from(salt, 'base64url'), paid);
  const wanted = Buffer.from(expected, 'base64url');
  return wanted.length === actual.length && timingSafeEqual(wanted, actual) && password.length <= MAX_PASSWORD_LENGTH;
}

function derive(password: string, salt: Uint8Array, cost: PasswordCost): Promise<Buffer> {
  const options = { ...cost, maxmem: MOST_MEMORY };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
