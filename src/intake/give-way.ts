// Who accepts goes before who applies, for a sender waits for it; but not for ever: what is accepted has to be applied, too.

/** The most that applying waits at a time, in milliseconds. */
const LONGEST_REST = 100;
/** While messages wait to be accepted, applying rests so many times as long as it has worked: it has a fifth of the time. */
const RESTS = 4;

export interface GiveWay {
  /** While `work` runs somebody waits for an acknowledgement. */
  first<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when nobody waits, or when that has taken long enough.
   * @param worked milliseconds since the last rest
   */
  rest(worked: number): Promise<void>;
}

export function createGiveWay(): GiveWay {
  let waiting = 0;
  let resting: (() => void)[] = [];
  return {
    async first(work) {
      waiting += 1;
      try {
        return await work();
      } finally {
        waiting -= 1;
        if (waiting === 0) {
          for (const goOn of resting) goOn();
          resting = [];
        }
      }
    },
    rest(worked) {
      if (waiting === 0) return new Promise((resolve) => setImmediate(resolve));
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(LONGEST_REST, RESTS * worked));
        resting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}
