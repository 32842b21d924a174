// Which of the mishaps that somebody asked for befalls a request.
import { httpDate } from '../../../fhir/http-date.ts';
import type { Chance } from './chance.ts';
import type { Knobs, Mishap } from './knobs.ts';

export type Door = 'read' | 'search' | 'write' | 'token' | 'metadata';

/** The first mishap that happens to this request; it is used up by one. */
export function mishapFor(knobs: Knobs, chance: Chance, door: Door, type: string): Mishap | undefined {
  for (const [index, mishap] of knobs.mishaps.entries()) {
    const { on = 'any', count, chance: odds = 1 } = mishap;
    // The doors to the server itself stay open unless they are named.
    const meant = on === door || (on === 'any' && door !== 'token' && door !== 'metadata');
    if (!meant || (mishap.type !== undefined && mishap.type !== type) || count === 0 || !chance.happens(odds)) continue;
    if (count !== undefined) knobs.mishaps[index] = { ...mishap, count: count - 1 };
    return mishap;
  }
  return undefined;
}

/** Retry-After in seconds or as a date, as the mishap says. @param now milliseconds since 1970 */
export function retryAfter({ retryAfter: seconds, retryAsDate }: Mishap, now: number): Record<string, string> {
  if (seconds === undefined) return {};
  if (!retryAsDate) return { 'retry-after': String(seconds) };
  return { 'retry-after': httpDate(Temporal.Instant.fromEpochMilliseconds(now + seconds * 1000)) };
}

/** Counts requests by the second. */
export interface Meter {
  /** False when the request is one too many. @param now milliseconds */
  admit(now: number, perSecond: number | null): boolean;
}

export function createMeter(): Meter {
  let second = { at: 0, used: 0 };
  return {
    admit(now, perSecond) {
      if (perSecond === null) return true;
      const at = Math.floor(now / 1000);
      if (at !== second.at) second = { at, used: 0 };
      second.used += 1;
      return second.used <= perSecond;
    },
  };
}
