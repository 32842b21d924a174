// A discharge told by its date only takes its time from the newest word that says exactly how the stay stands, when that is a
// discharge on the same day. That word is kept beside it, so that the order in which messages come does not matter.
import type { Encounter } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf } from '../../fhir/event-time.ts';
import { type ExactWord, exactWordOf } from '../../fhir/exact-word.ts';
import { sameDay } from '../../fhir/same-day.ts';

/**
 * The end of the stay, and the word that has to be kept beside it.
 * @param said of `stored` and `fresh` the newer word about the stay
 */
export function dischargeTime(
  said: Encounter,
  stored: Encounter,
  fresh: Encounter,
): { readonly end?: string | undefined; readonly kept?: ExactWord | undefined } {
  const day = toldDay(said);
  if (day === undefined) return { end: said.period?.end };
  const kept = newer(exactWord(stored), exactWord(fresh));
  // The day of a time in UTC is not known here.
  const isSame = kept?.end !== undefined && !kept.end.endsWith('Z') && sameDay(kept.end, day);
  return { end: isSame ? kept.end : day, kept };
}

/** The date of a discharge that was told by its date, whatever time it has taken since. */
function toldDay(stay: Encounter): string | undefined {
  const end = stay.status === 'finished' ? stay.period?.end : undefined;
  if (end === undefined || !end.includes('T')) return end;
  return exactWordOf(stay) ? end.slice(0, 10) : undefined;
}

function exactWord(stay: Encounter): ExactWord | undefined {
  const kept = exactWordOf(stay);
  if (kept) return kept;
  const at = instantOf(stay, EVENT_TIME);
  if (stay.status !== 'finished') return at && { at };
  const end = stay.period?.end;
  return end?.includes('T') ? { at, end } : undefined;
}

/** Of two at one time the second. */
function newer(one: ExactWord | undefined, other: ExactWord | undefined): ExactWord | undefined {
  if (!one?.at || !other) return other ?? one;
  return other.at && Temporal.Instant.compare(other.at, one.at) >= 0 ? other : one;
}
