// Makes the calls of a process fail: the Nth one, before or after its effect or by never answering, and after it, when the
// process is to die, all others.

export type Failing = 'before' | 'after' | 'hang';

export class Bomb {
  #left: number;
  readonly #failing: Failing;
  readonly #deadly: boolean;
  exploded = false;

  /** @param deadly nothing works any more afterwards, as in a process that died */
  constructor(left: number, failing: Failing, deadly = false) {
    this.#left = left;
    this.#failing = failing;
    this.#deadly = deadly;
  }

  async run<T>(work: () => Promise<T>, hang?: () => Promise<never>): Promise<T> {
    if (this.exploded && this.#deadly) throw new Error('The process is dead.');
    this.#left -= 1;
    if (this.#left !== 0) return work();
    this.exploded = true;
    if (this.#failing === 'after') await work();
    if (this.#failing === 'hang' && hang) return hang();
    throw new Error('The process died here.');
  }
}

/** The same object, with every method named failing as the bomb says. */
export function fragile<T extends object>(whole: T, methods: ReadonlySet<string>, bomb: Bomb): T {
  return new Proxy(whole, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (!methods.has(String(property))) return value.bind(target);
      return (...args: unknown[]) => bomb.run(() => value.apply(target, args));
    },
  });
}

/** Every call that sync makes to the store. */
export const STORE_CALLS: ReadonlySet<string> = new Set([
  'commit',
  'query',
  'read',
  'vread',
  'find',
  'readLog',
  'head',
  'withholding',
  'history',
]);

/** A fetch that fails as the bomb says; one that hangs ends when its time-out does. */
export function fragileFetch(fetch: typeof globalThis.fetch, bomb: Bomb): typeof globalThis.fetch {
  return (input, init) =>
    bomb.run(
      () => fetch(input, init),
      () =>
        new Promise((_resolve, reject) => {
          const end = () => reject(init?.signal?.reason);
          if (init?.signal?.aborted) end();
          init?.signal?.addEventListener('abort', end);
        }),
    );
}
