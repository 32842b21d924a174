// A process that dies in one of its calls, before or after the call had its effect.
import type { Store } from '../../src/store/store.ts';

export type Effect = 'before' | 'after';

export interface Bomb {
  readonly exploded: boolean;
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Counts calls down and fails one of them. */
export function bombAt(nth: number, effect: Effect): Bomb {
  let left = nth;
  return {
    get exploded() {
      return left <= 0;
    },
    async run(work) {
      left -= 1;
      if (left !== 0) return work();
      if (effect === 'after') await work();
      throw new TypeError('The process died here.');
    },
  };
}

/** The store, whose commits count. */
export function fragile(store: Store, bomb: Bomb): Store {
  return { ...store, commit: (...args) => bomb.run(() => store.commit(...args)) };
}
