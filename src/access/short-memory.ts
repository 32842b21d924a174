// Remembers a bounded number of things for a short time. What was put in first goes first.

export interface ShortMemory<T> {
  /** @param now seconds since 1970; undefined when there is nothing, or no longer */
  get(key: string, now: number): T | undefined;
  /** @param until seconds since 1970 */
  put(key: string, value: T, until: number): void;
}

/** @param size most entries that are kept */
export function createShortMemory<T>(size: number): ShortMemory<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    get(key, now) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.until > now) return entry.value;
      entries.delete(key);
      return undefined;
    },
    put(key, value, until) {
      entries.delete(key);
      entries.set(key, { value, until });
      if (entries.size <= size) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    },
  };
}
