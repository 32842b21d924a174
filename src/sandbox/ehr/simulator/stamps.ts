// Times of versions as the server's clock gives them, and as a knob makes them coarse.
import type { Knobs } from './knobs.ts';
import type { Stamp } from './records.ts';

/** Never goes back. @param now the server's clock, milliseconds since 1970 */
export function stamper(knobs: Knobs, now: () => number): () => Stamp {
  let last = 0;
  return () => {
    const present = Math.max(now(), last);
    if (knobs.timestamps === 'equal') last ||= present;
    else last = knobs.timestamps === 'second' ? wholeSecond(present, last) : present;
    const instant = Temporal.Instant.fromEpochMilliseconds(last);
    const lastUpdated =
      knobs.timestamps === 'second'
        ? instant.toString({ smallestUnit: 'second' })
        : instant.toString({ fractionalSecondDigits: 3 });
    return { at: last, lastUpdated, visibleAt: now() + knobs.lateVisibility * 1000 };
  };
}

function wholeSecond(present: number, last: number): number {
  const floor = Math.floor(present / 1000) * 1000;
  return floor >= last ? floor : Math.ceil(last / 1000) * 1000;
}
