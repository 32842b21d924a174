// Work on the same thing one after the other, work on different things side by side. Within this process only: across
// processes the store's If-Match decides.

export interface KeyedLock {
  /** Runs when nothing that came before has one of the keys any more. */
  run<T>(keys: readonly string[], work: () => Promise<T>): Promise<T>;
}

export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(keys, work) {
      // All keys are taken at once, so that no two works wait for each other.
      const before = Promise.allSettled(keys.flatMap((key) => tails.get(key) ?? []));
      const mine = before.then(work);
      for (const key of keys) tails.set(key, mine);
      try {
        return await mine;
      } finally {
        for (const key of keys) if (tails.get(key) === mine) tails.delete(key);
      }
    },
  };
}
