// When Baton swept in the year, and whether it swept soon enough.
import type { Record } from './drive.ts';
import type { Outage } from './outages.ts';

export interface Sweeps {
  /** The first at or after a moment, or never. */
  first(from: number): number;
  /** True when Baton was up and let more than a slot pass. */
  isLate(due: number, swept: number): boolean;
}

export function createSweeps({ slot, ticks }: Pick<Record, 'slot' | 'ticks'>, outages: readonly Outage[]): Sweeps {
  // Time passes somewhere in the first minute of each slot.
  const inTime = slot + 60;
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
        (moment, { from, until }) => (moment >= from - slot && moment < until ? until : moment),
        due,
      );
      return swept - up > inTime;
    },
  };
}
