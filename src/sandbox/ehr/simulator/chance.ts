// Chance that can be had again: the same seed makes the same ids and the same mishaps in the same order.

export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  /** True about that often; 1 is always, 0 never. */
  happens(probability: number): boolean;
  /** Letters and digits that look random. */
  text(length: number): string;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Marsaglia's xorshift with 32 bits. @param seed any whole number */
export function createChance(seed: number): Chance {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e3779b9) | 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
  return {
    next,
    happens: (probability) => probability >= 1 || (probability > 0 && next() < probability),
    text: (length) => Array.from({ length }, () => LETTERS[Math.floor(next() * LETTERS.length)]).join(''),
  };
}
