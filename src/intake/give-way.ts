// Who accepts goes before who applies, for a sender waits for it; but not for ever: what is accepted has to be applied, too.
import { setTimeout as pause } from 'node:timers/promises';

/** Nobody wants to have something accepted when nobody came for so many milliseconds: a sender that is answered sends the next. */
const QUIET = 5;
/** The most that applying waits at a time, in milliseconds. */
const LONGEST_REST = 100;
/** While messages come to be accepted, applying rests so many times as long as it has worked: it has a fifth of the time. */
const RESTS = 4;

export interface GiveWay {
  /** While `work` runs somebody waits for an acknowledgement. */
  first<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when nobody waits, or when that has taken long enough.
   * @param worked milliseconds since the last rest
   */
  rest(worked: number): Promise<void>;
  /** Nobody waits, or came just now. */
  readonly isQuiet: boolean;
}

export function createGiveWay(): GiveWay {
  let waiting = 0;
  let last = Number.NEGATIVE_INFINITY;
  const isQuiet = () => waiting === 0 && performance.now() - last >= QUIET;
  return {
    async first(work) {
      waiting += 1;
      try {
        return await work();
      } finally {
        waiting -= 1;
        last = performance.now();
      }
    },
    get isQuiet() {
      return isQuiet();
    },
    async rest(worked) {
      const until = performance.now() + Math.min(LONGEST_REST, RESTS * worked);
      do await pause(isQuiet() ? 0 : QUIET);
      while (!isQuiet() && performance.now() < until);
    },
  };
}
