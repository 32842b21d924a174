// Passwords cost what OWASP asks for, whoever checks them; a hash made at another cost stays good.
import { beforeAll, expect, it } from 'vitest';
import { hashPassword, isPassword } from '../../../src/access/oauth/passwords.ts';

const PASSWORD = 'correct horse battery';
const CHEAP = { N: 2, r: 1, p: 1 };

let stored: string;

beforeAll(async () => {
  stored = await hashPassword(PASSWORD);
});

it('costs 32 MiB three times over', () => {
  expect(stored).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
});

it('has a salt of its own', async () => {
  const [one, two] = await Promise.all([hashPassword(PASSWORD, CHEAP), hashPassword(PASSWORD, CHEAP)]);
  expect(one).not.toBe(two);
  expect([await isPassword(PASSWORD, one), await isPassword(PASSWORD, two)]).toEqual([true, true]);
});

it('is checked at the cost that its hash was made with', async () => {
  expect(await isPassword(PASSWORD, stored, CHEAP)).toBe(true);
});

it('costs a name that nobody has as much as a wrong password', async () => {
  const spent = async (hash?: string) => {
    const before = process.cpuUsage();
    expect(await isPassword('wrong', hash)).toBe(false);
    return process.cpuUsage(before).user;
  };
  const wrong = await spent(stored);
  expect(await spent()).toBeGreaterThan(wrong / 2);
});
