// What was said last and exactly of whether a stay is over, kept beside an end that was told later by its date only.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { instantOf } from './event-time.ts';

/** On an Encounter: the newest word before its end was told by its date, or the person's who said that only the date is known. */
const EXACT_WORD = 'https://baton.health/fhir/StructureDefinition/exact-word-of-stay';

/** Of a discharge, or of a stay that goes on or never was. */
export interface ExactWord {
  /** Undefined for what no event has set, which is older than all events. */
  readonly at?: Temporal.Instant | undefined;
  /** FHIR dateTime; undefined when the patient has not left. */
  readonly end?: string | undefined;
}

/** Undefined also when somebody has given the stay another end since. */
export function exactWordOf({ status, period, extension }: Encounter): ExactWord | undefined {
  const parts = status === 'finished' ? extension?.find(({ url }) => url === EXACT_WORD)?.extension : undefined;
  if (!parts) return undefined;
  const at = instantOf({ extension: parts }, 'time');
  const end = parts.find(({ url }) => url === 'end')?.valueDateTime;
  return period?.end?.includes('T') && period.end !== end ? undefined : { at, end };
}

/** The extensions with that word in place of an earlier one. */
export function withExactWord(extensions: readonly Extension[], word: ExactWord | undefined): Extension[] {
  const others = extensions.filter(({ url }) => url !== EXACT_WORD);
  return word ? [...others, asExtension(word)] : others;
}

function asExtension({ at, end }: ExactWord): Extension {
  const time = at && { url: 'time', valueInstant: at.toString({ fractionalSecondDigits: 3 }) };
  return {
    url: EXACT_WORD,
    extension: [...(time ? [time] : []), ...(end === undefined ? [] : [{ url: 'end', valueDateTime: end }])],
  };
}
