// Keeps what was loaded last, up to a weight, the same object for as long as it is kept.

export interface Loaded<T> {
  readonly value: T;
  /** Bytes of JSON, roughly. */
  readonly weight: number;
}

export type Recent<T> = (key: string, load: () => Loaded<T>) => T;

/** @param limit weight that is kept; one value heavier than that is kept alone */
export function keepRecent<T>(limit: number): Recent<T> {
  const kept = new Map<string, Loaded<T>>();
  let weight = 0;
  return (key, load) => {
    const known = kept.get(key);
    const loaded = known ?? load();
    kept.delete(key);
    kept.set(key, loaded);
    if (!known) weight += loaded.weight;
    for (const [oldest, old] of kept) {
      if (weight <= limit || oldest === key) break;
      kept.delete(oldest);
      weight -= old.weight;
    }
    return loaded.value;
  };
}
