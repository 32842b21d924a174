// What can be made to go wrong at a simulated server while it runs. Every knob has a quiet position.
import { Fault } from '../../../fault.ts';
import { ABILITY_WORDS, readAbilityWord } from './ability-word.ts';

/** One kind of trouble: what, to which requests, and how often. */
export interface Mishap {
  /** `status` answers with it, `drop` cuts the connection, `hang` never answers, `html` answers 200 with a web page. */
  readonly do: 'status' | 'drop' | 'hang' | 'html';
  readonly on?: 'any' | 'read' | 'search' | 'write' | 'token' | 'metadata';
  /** Only requests about this type. */
  readonly type?: string;
  /** For `do: status`. */
  readonly status?: number;
  /** Whether the request is carried out first. */
  readonly effect?: 'before' | 'after';
  /** How many times at most; for ever when absent. */
  readonly count?: number;
  /** From 0 to 1; always when absent. */
  readonly chance?: number;
  /** Seconds for the Retry-After header. */
  readonly retryAfter?: number;
  /** Retry-After as an HTTP date instead of seconds. */
  readonly retryAsDate?: boolean;
}

export interface Knobs {
  /** Milliseconds before every answer. */
  latency: number;
  /** Milliseconds from the first byte of a body to its last. */
  slowBody: number;
  /** Seconds before searches and history see a write, which then has the older `lastUpdated`. */
  lateVisibility: number;
  /** Precision of `lastUpdated`; `equal` gives every write the same one. */
  timestamps: 'millisecond' | 'second' | 'equal';
  /** Entries of the page before that each page repeats. */
  repeatAcrossPages: number;
  /** Pages are cut anew from what is there when each is asked for. */
  shiftingPages: boolean;
  /** Seconds that a `next` link works; null is the vendor's. */
  pagesLive: number | null;
  /** The next this many `next` links that are followed have expired. */
  expireNext: number;
  /** Origin that `next` links point to instead of this server; empty is here. */
  foreignNext: string;
  /** Each `next` link leads to the page it is on. */
  nextLoop: boolean;
  /** The last page has a `next` link, to an empty one. */
  emptyLastPage: boolean;
  /** More requests than this in a second are refused with 429; null is no bound. */
  requestsPerSecond: number | null;
  /** Seconds that a token lives; null is the vendor's. */
  tokenSeconds: number | null;
  /** The token endpoint answers invalid_client. */
  invalidClient: boolean;
  /** How often an entry of a page is replaced by an OperationOutcome, 0 to 1. */
  partialBundles: number;
  /** Adds to every resource an extension and an element that R4 does not have. */
  unknownElements: boolean;
  /** Abilities taken away: `Task`, `Task.update`, `Task?modified`, `conditional`, `versions`, `transaction`, `batch`. */
  lose: string[];
  /** Abilities added, in the same words. */
  gain: string[];
  /** Conditional creates look first and write later, so that two at once both write. */
  racyCreates: boolean;
  /** Patients whose record asks for a reason first. */
  breakTheGlass: string[];
  /** Documents that a client may file each day; null is the vendor's bound. */
  documentsPerDay: number | null;
  /** Writes are taken without looking at their structure and references, for measurements. */
  unchecked: boolean;
  /** Tried in order; the first that happens counts. */
  mishaps: Mishap[];
}

export const quietKnobs = (): Knobs => ({
  latency: 0,
  slowBody: 0,
  lateVisibility: 0,
  timestamps: 'millisecond',
  repeatAcrossPages: 0,
  shiftingPages: false,
  pagesLive: null,
  expireNext: 0,
  foreignNext: '',
  nextLoop: false,
  emptyLastPage: false,
  requestsPerSecond: null,
  tokenSeconds: null,
  invalidClient: false,
  partialBundles: 0,
  unknownElements: false,
  lose: [],
  gain: [],
  racyCreates: false,
  breakTheGlass: [],
  documentsPerDay: null,
  unchecked: false,
  mishaps: [],
});

type Check = (value: unknown) => boolean;

const whole =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
const portion: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1;
const flag: Check = (value) => typeof value === 'boolean';
const texts: Check = (value) => Array.isArray(value) && value.every((each) => typeof each === 'string');
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const DAY = 86_400;

const MISHAP: Readonly<Record<string, Check>> = {
  do: oneOf('status', 'drop', 'hang', 'html'),
  on: oneOf('any', 'read', 'search', 'write', 'token', 'metadata'),
  type: (value) => typeof value === 'string',
  status: whole(400, 599),
  effect: oneOf('before', 'after'),
  count: whole(0, 1_000_000),
  chance: portion,
  retryAfter: whole(0, DAY),
  retryAsDate: flag,
};

const isMishap: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  'do' in value &&
  Object.entries(value).every(([name, each]) => MISHAP[name]?.(each) ?? false);

const CHECKS: Readonly<Record<keyof Knobs, Check>> = {
  latency: whole(0, 600_000),
  slowBody: whole(0, 600_000),
  lateVisibility: whole(0, DAY),
  timestamps: oneOf('millisecond', 'second', 'equal'),
  repeatAcrossPages: whole(0, 1000),
  shiftingPages: flag,
  pagesLive: orNull(whole(0, DAY)),
  expireNext: whole(0, 1_000_000),
  foreignNext: (value) => value === '' || (typeof value === 'string' && URL.canParse(value)),
  nextLoop: flag,
  emptyLastPage: flag,
  requestsPerSecond: orNull(whole(0, 1_000_000)),
  tokenSeconds: orNull(whole(0, DAY)),
  invalidClient: flag,
  partialBundles: portion,
  unknownElements: flag,
  lose: texts,
  gain: texts,
  racyCreates: flag,
  breakTheGlass: texts,
  documentsPerDay: orNull(whole(0, 1_000_000)),
  unchecked: flag,
  mishaps: (value) => Array.isArray(value) && value.every(isMishap),
};

/** Sets the knobs that `body` names and leaves the others. @throws Fault invalid, and then nothing is set */
export function turnKnobs(knobs: Knobs, body: unknown): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Fault('invalid', 'Send a JSON object whose properties are knobs.');
  }
  for (const [name, value] of Object.entries(body)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof Knobs] : undefined;
    if (!check) throw new Fault('invalid', `There is no knob "${name}". There are: ${Object.keys(CHECKS).join(', ')}.`);
    if (name === 'lose' || name === 'gain') requireAbilities(name, value);
    if (!check(value)) {
      throw new Fault('invalid', `${JSON.stringify(value)} is no position of "${name}" (docs/simulated-ehrs.md).`, {
        expression: name,
      });
    }
  }
  Object.assign(knobs, structuredClone(body));
}

/** A slip would take nothing away and look as if the server lacked it. @throws Fault invalid */
function requireAbilities(knob: 'lose' | 'gain', words: unknown): void {
  const wrong = Array.isArray(words)
    ? words.find((word) => typeof word === 'string' && !readAbilityWord(word))
    : undefined;
  if (wrong === undefined) return;
  throw new Fault('invalid', `"${wrong}" in "${knob}" names no ability. ${ABILITY_WORDS}`, { expression: knob });
}
