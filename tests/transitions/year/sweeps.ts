// When Baton swept in the year, and whether it swept soon enough.
import { SLOT } from './drive.ts';
import type { Outage } from './outages.ts';

/** Slots are a quarter of an hour, and time passes somewhere in the first minute of each. */
const IN_TIME = SLOT + 60;

export interface Sweeps {
  /** The first at or after a moment, or never. */
  first(from: number): number;
  /** True when Baton was up and let more than a slot pass. */
  isLate(due: number, swept: number): boolean;
}

/** @param ticks epoch seconds, in order */
export function createSweeps(ticks: readonly number[], outages: readonly Outage[]): Sweeps {
  return {
    first(from) {
      let [low, high] = [0, ticks.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ticks[middle] as number) < from) low = middle + 1;
        else high = middle;
      }
      return ticks[low] ?? Number.POSITIVE_INFINITY;
    },
    isLate(due, swept) {
      const up = outages.reduce(
        (moment, { from, until }) => (moment >= from - SLOT && moment < until ? until : moment),
        due,
      );
      return swept - up > IN_TIME;
    },
  };
}
