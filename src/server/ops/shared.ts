// One look for many numbers.

/** All that ask while an answer is under way get the same one: a scrape looks once, not once per number. */
export function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let underway: Promise<T> | undefined;
  return () => {
    underway ??= ask().finally(() => {
      underway = undefined;
    });
    return underway;
  };
}
