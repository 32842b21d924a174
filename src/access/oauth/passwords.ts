// Passwords as scrypt hashes, each with a salt of its own. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 } as const;
const HASH_BYTES = 32;

/** A password shorter than this is refused when it is set. */
export const MIN_PASSWORD_LENGTH = 12;
/** Longer ones are refused unread, so that nobody can make Baton hash megabytes. */
export const MAX_PASSWORD_LENGTH = 1_024;

/** @returns `scrypt$N$r$p$salt$hash` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const { N, r, p } = COST;
  return [
    'scrypt',
    N,
    r,
    p,
    salt.toString('base64url'),
    (await derive(password, salt, COST)).toString('base64url'),
  ].join('$');
}

/** Takes as long for a name that nobody has (`stored` undefined) as for a wrong password. */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, n = COST.N, r = COST.r, p = COST.p, salt = '', expected = ''] = stored?.split('$') ?? [];
  const cost = { N: Number(n), r: Number(r), p: Number(p), maxmem: COST.maxmem };
  const actual = await derive(password.slice(0, MAX_PASSWORD_LENGTH), Buffer.from(salt, 'base64url'), cost);
  const wanted = Buffer.from(expected, 'base64url');
  return wanted.length === actual.length && timingSafeEqual(wanted, actual) && password.length <= MAX_PASSWORD_LENGTH;
}

function derive(password: string, salt: Uint8Array, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
