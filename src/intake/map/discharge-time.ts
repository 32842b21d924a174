// A discharge told by its date only takes its time from the newest word that says exactly how the stay stands, when that is a
// discharge on the same day. That word is kept beside it, so that the order in which messages come does not matter.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf } from '../../fhir/event-time.ts';
import { sameDay } from '../../fhir/same-day.ts';

/** On an Encounter whose end was told last by its date only: the newest word before that was exact. */
export const EXACT_WORD = 'https://baton.health/fhir/StructureDefinition/exact-word-of-stay';

/** Of a discharge with its time, or of a stay that goes on or never was. */
interface ExactWord {
  /** Undefined for what no event has set, which is older than all events. */
  readonly at?: Temporal.Instant | undefined;
  /** FHIR dateTime; undefined when the patient has not left. */
  readonly end?: string | undefined;
}

/**
 * The end of the stay, and what of it has to be kept as `EXACT_WORD`.
 * @param said of `stored` and `fresh` the newer word about the stay
 */
export function dischargeTime(
  said: Encounter,
  stored: Encounter,
  fresh: Encounter,
): { readonly end?: string | undefined; readonly kept?: Extension | undefined } {
  const day = toldDay(said);
  if (day === undefined) return { end: said.period?.end };
  const exact = newer(exactWord(stored), exactWord(fresh));
  if (!exact) return { end: day };
  return { end: exact.end !== undefined && sameDay(exact.end, day) ? exact.end : day, kept: asExtension(exact) };
}

/** The date of a discharge that was told by its date, whatever time it has taken since. */
function toldDay(stay: Encounter): string | undefined {
  const end = stay.status === 'finished' ? stay.period?.end : undefined;
  if (end === undefined || !end.includes('T')) return end;
  return keptWord(stay) ? end.slice(0, 10) : undefined;
}

function exactWord(stay: Encounter): ExactWord | undefined {
  const kept = keptWord(stay);
  if (kept) return kept;
  const at = instantOf(stay, EVENT_TIME);
  if (stay.status !== 'finished') return at && { at };
  const end = stay.period?.end;
  return end?.includes('T') ? { at, end } : undefined;
}

/** Not when somebody has given the stay another end since. */
function keptWord({ status, period, extension }: Encounter): ExactWord | undefined {
  const parts = status === 'finished' ? extension?.find(({ url }) => url === EXACT_WORD)?.extension : undefined;
  if (!parts) return undefined;
  const at = instantOf({ extension: parts }, 'time');
  const end = parts.find(({ url }) => url === 'end')?.valueDateTime;
  return period?.end?.includes('T') && period.end !== end ? undefined : { at, end };
}

/** Of two at one time the second. */
function newer(one: ExactWord | undefined, other: ExactWord | undefined): ExactWord | undefined {
  if (!one?.at || !other) return other ?? one;
  return other.at && Temporal.Instant.compare(other.at, one.at) >= 0 ? other : one;
}

function asExtension({ at, end }: ExactWord): Extension {
  const time = at && { url: 'time', valueInstant: at.toString({ fractionalSecondDigits: 3 }) };
  return {
    url: EXACT_WORD,
    extension: [...(time ? [time] : []), ...(end === undefined ? [] : [{ url: 'end', valueDateTime: end }])],
  };
}
