// Baton's keys for all tests of a process that only need some: to make two of RSA costs a tenth of a second or more.
import { type Keys, openKeys } from '../../src/access/keys.ts';

let made: Promise<Keys> | undefined;

/** Whoever needs other keys, as of another Baton, calls `openKeys`. */
export function testKeys(): Promise<Keys> {
  made ??= openKeys();
  return made;
}
