// What was told of whether a stay is over, as far as it matters: beside the last word those before it that a word which comes
// late may make count again. So a stay ends the same in whatever order its messages come.
import type { Encounter, Extension } from '@medplum/fhirtypes';
import { EVENT_TIME, instantOf } from './event-time.ts';
import { sameDay } from './same-day.ts';
import { isStandIn } from './stand-in-end.ts';

/** On Encounter, one each and the oldest first, when the last word alone does not say it all. */
const STAY_WORD = 'https://baton.health/fhir/StructureDefinition/stay-word';

/** Of a discharge, or of a stay that goes on or never was. */
export interface StayWord {
  /** Undefined for what no event has set, which is older than all events. */
  readonly at?: Temporal.Instant | undefined;
  /** FHIR dateTime; undefined when the patient has not left. */
  readonly end?: string | undefined;
  /** The end is when the discharge was recorded. */
  readonly isStandIn?: boolean;
}

/** What words about a stay come to. */
export interface Standing {
  /** Undefined when the patient has not left, as far as is known. */
  readonly end?: string | undefined;
  /** The word that tells it; an end told by its date may have taken the time of another one. */
  readonly by?: StayWord;
  /** The words that matter, the oldest first. */
  readonly words: readonly StayWord[];
}

/** How many stand-ins are kept after the first: a sender may repeat a discharge without its time for ever. */
const LATER_STAND_INS = 20;

/**
 * The end is the newest that was told since the patient was last said to be in. A stand-in ends the stay where none was told, and
 * of several the first. A date takes the time that was told last and exactly, when that is of the same day.
 * @param words of words of one time the later one counts as the newer
 */
export function standingOf(words: readonly StayWord[]): Standing {
  const ordered = distinct(words).sort((one, other) => compare(one.at, other.at));
  const from = ordered.findLastIndex(({ end }) => end === undefined);
  const back = ordered.slice(Math.max(from, 0), from + 1);
  const run = ordered.slice(from + 1);
  const last = run.findLastIndex((word) => !word.isStandIn);
  const told = run[last];
  if (!told) {
    const [first] = run;
    return { ...(first ? { end: first.end, by: first } : {}), words: [...back, ...bounded(run)] };
  }
  // Those after it count again when the discharge that was told proves to have been taken back before them.
  const since = [told, ...bounded(run.slice(last + 1))];
  if (isMoment(told)) return { end: told.end, by: told, words: since };
  const exact = run.slice(0, last).findLast((word) => !word.isStandIn && isMoment(word));
  const end = exact && isOfDay(exact, told) ? exact.end : told.end;
  return { end, by: told, words: exact ? [exact, ...since] : [...back, ...since] };
}

/**
 * The first stand-in, which counts, and the newest, of which one counts when a cancelled discharge comes late. Which those are
 * depends on no order of messages.
 */
function bounded(standIns: readonly StayWord[]): readonly StayWord[] {
  if (standIns.length <= LATER_STAND_INS + 1) return standIns;
  return [...standIns.slice(0, 1), ...standIns.slice(-LATER_STAND_INS)];
}

/** The words that an Encounter holds, the oldest first; none when it does not say whether the stay is over. */
export function stayWordsOf(stay: Encounter): StayWord[] {
  const { status, period, extension = [] } = stay;
  const at = instantOf({ extension }, EVENT_TIME);
  if (status !== 'finished') return at ? [{ at }] : [];
  if (period?.end === undefined) return [];
  const kept = standingOf(extension.flatMap(readWord));
  const standsIn = isStandIn(period);
  const isKept = kept.by !== undefined && kept.end === period.end && (kept.by.isStandIn === true) === standsIn;
  // None was kept, or somebody has given the stay another end since.
  const { by, words } = isKept ? kept : aloneOf({ at, end: period.end, isStandIn: standsIn });
  const isConfirmed = at !== undefined && compare(at, words.at(-1)?.at) > 0;
  return isConfirmed ? [...words, { ...by, at }] : [...words];
}

/** A stand-in is as old as itself: what was corrected since is no later recording of the discharge. */
function aloneOf(word: StayWord): Pick<Standing, 'by' | 'words'> {
  const by = word.isStandIn && word.end ? { ...word, at: Temporal.Instant.from(word.end) } : word;
  return { by, words: [by] };
}

/** The extensions with those words in place of earlier ones. */
export function withStayWords(extensions: readonly Extension[], words: readonly StayWord[]): Extension[] {
  const others = extensions.filter(({ url }) => url !== STAY_WORD);
  return words.length > 1 ? [...others, ...words.map(asExtension)] : others;
}

const isMoment = ({ end }: StayWord) => end?.includes('T') === true;

/** The day of a time in UTC is not known here. */
const isOfDay = ({ end = '' }: StayWord, day: StayWord) => !end.endsWith('Z') && sameDay(end, day.end ?? '');

function compare(one: Temporal.Instant | undefined, other: Temporal.Instant | undefined): number {
  if (one && other) return Temporal.Instant.compare(one, other);
  return Number(one !== undefined) - Number(other !== undefined);
}

/** The same word again is the newer one of its time. */
function distinct(words: readonly StayWord[]): StayWord[] {
  const byText = new Map<string, StayWord>();
  for (const word of words) {
    const text = JSON.stringify(asExtension(word));
    byText.delete(text);
    byText.set(text, word);
  }
  return [...byText.values()];
}

function asExtension({ at, end, isStandIn: standsIn }: StayWord): Extension {
  const parts: (Extension | undefined)[] = [
    at && { url: 'time', valueInstant: at.toString({ fractionalSecondDigits: 3 }) },
    end === undefined ? undefined : { url: 'end', valueDateTime: end },
    standsIn ? { url: 'stand-in', valueBoolean: true } : undefined,
  ];
  return { url: STAY_WORD, extension: parts.filter((part) => part !== undefined) };
}

function readWord({ url, extension: parts }: Extension): StayWord[] {
  if (url !== STAY_WORD || !parts) return [];
  const part = (name: string) => parts.find((one) => one.url === name);
  return [
    {
      at: instantOf({ extension: parts }, 'time'),
      end: part('end')?.valueDateTime,
      isStandIn: part('stand-in')?.valueBoolean === true,
    },
  ];
}
