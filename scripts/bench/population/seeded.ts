// Chance that comes out the same every time: ids and choices that depend on nothing but a name and a number, so that the
// loader, the load driver and another run agree on every resource without sharing a list of them.
import { hash } from 'node:crypto';

/** The same UUID for the same words. */
export function uuidOf(words: string): string {
  const hex = hash('sha256', words);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A number from 0 up to but not including `below`, spread evenly over `n`. */
export function chance(n: number, salt: number, below: number): number {
  let x = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(salt + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  x ^= x >>> 15;
  return (x >>> 0) % below;
}

/** One of `all`. */
export function pick<T>(all: readonly T[], n: number, salt: number): T {
  return all[chance(n, salt, all.length)] as T;
}

/** An endless sequence of numbers from 0 up to but not including `below`; another one for another seed. */
export function* numbersBelow(below: number, seed: number): Generator<number, never> {
  for (let n = 0; ; n++) yield chance(n, seed, below);
}
