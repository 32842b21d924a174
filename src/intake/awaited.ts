// Who waits to hear what becomes of a message that was accepted: the connection it came over, for as long as that stands.
import type { Store } from '../store/store.ts';
import type { AckCode } from './refusal.ts';

export interface Applied {
  readonly code: AckCode;
  /** The acknowledgement of original mode. */
  readonly ack: string;
}

export interface Awaiting {
  /** Undefined when nobody waits any more. */
  readonly applied: Promise<Applied | undefined>;
  /** Stops waiting. */
  forget(): void;
}

export interface Awaited {
  /** As soon as it is accepted: applying takes longer than that. */
  expect(key: string): Awaiting;
  tell(key: string, applied: Applied): void;
  /** Tells of what other processes have applied. */
  look(): Promise<void>;
}

/** Looked for at a time. */
const SOME = 100;

export function createAwaited(store: Pick<Store, 'query'>): Awaited {
  const waiting = new Map<string, Set<(applied: Applied | undefined) => void>>();
  const tell = (key: string, applied: Applied) => {
    const told = waiting.get(key);
    waiting.delete(key);
    for (const resolve of told ?? []) resolve(applied);
  };
  return {
    expect(key) {
      const { promise, resolve } = Promise.withResolvers<Applied | undefined>();
      const same = waiting.get(key) ?? new Set();
      waiting.set(key, same.add(resolve));
      const forget = () => {
        resolve(undefined);
        same.delete(resolve);
        if (same.size === 0 && waiting.get(key) === same) waiting.delete(key);
      };
      return { applied: promise, forget };
    },
    tell,
    async look() {
      const all = [...waiting.keys()];
      for (let from = 0; from < all.length; from += SOME) {
        const keys = all.slice(from, from + SOME);
        const sql = `SELECT key, outcome, answer FROM delivery WHERE channel = 'hl7v2' AND outcome <> 'CA'
          AND key IN (${keys.map(() => '?').join(', ')})`;
        for (const { key, outcome, answer } of await store.query(sql, keys)) {
          tell(String(key), { code: String(outcome) as AckCode, ack: String(answer) });
        }
      }
    },
  };
}
