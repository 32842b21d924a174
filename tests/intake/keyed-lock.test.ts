import { expect, it } from 'vitest';
import { createKeyedLock } from '../../src/intake/keyed-lock.ts';

it('runs work on one key in the order given, also after a failure, and other keys beside it', async () => {
  const lock = createKeyedLock();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = lock.run(['a'], async () => {
    await gate.promise;
    seen.push('a1');
    throw new Error('failed');
  });
  const second = lock.run(['a'], async () => {
    seen.push('a2');
    return 'done';
  });
  await lock.run(['b'], async () => {
    seen.push('b');
  });
  expect(seen).toEqual(['b']);
  gate.resolve();
  await expect(first).rejects.toThrow('failed');
  expect(await second).toBe('done');
  expect(seen).toEqual(['b', 'a1', 'a2']);
});

it('waits for everything that has one of its keys, and nobody waits for each other', async () => {
  const lock = createKeyedLock();
  const seen: string[] = [];
  const note = (name: string) => async () => {
    await Promise.resolve();
    seen.push(name);
  };
  await Promise.all([
    lock.run(['a', 'b'], note('ab')),
    lock.run(['b', 'c'], note('bc')),
    lock.run(['c', 'a'], note('ca')),
  ]);
  expect(seen).toEqual(['ab', 'bc', 'ca']);
});
