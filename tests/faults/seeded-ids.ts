// Ids from a seed: what is sorted by id, or drawn from what is, goes the same way again. For a process that only plays days.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { randomFrom } from '../support/seeded-random.ts';

/** Every `randomUUID` of this process comes from the seed from here on. */
export function seedIds(seed: number): void {
  const random = randomFrom(seed);
  const digit = () => Math.floor(random() * 16).toString(16);
  const randomUUID = () => 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', digit);
  Object.assign(crypto, { randomUUID });
  syncBuiltinESMExports();
}
