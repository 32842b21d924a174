// The words of a resource and of a text search. Both engines index these words, so both find the same.
// https://hl7.org/fhir/R4/search.html#content
import type { Resource } from '@medplum/fhirtypes';
import { fold } from './fold.ts';

export interface ResourceWords {
  /** Words of the narrative, separated by spaces. */
  readonly narrative: string;
  /** Words of everything else. */
  readonly content: string;
}

/** No word of a language is longer; what is, is data. */
const MAX_WORD = 64;
/** Words per resource that are indexed: PostgreSQL counts positions up to 16,383. */
const MAX_WORDS = 16_000;
const WORDS = /[\p{L}\p{N}]+/gu;
/** What tags, comments and entities of XHTML leave between words. */
const MARKUP = /<[^>]*>|&#?\w+;/g;
/** Members that identify rather than say something. */
const SILENT = new Set(['resourceType', 'id', 'meta', 'system', 'url', 'reference', 'div', 'data', 'contentType']);
/** Dates, times and URLs are found by their own parameters. */
const NO_TEXT = /^(\d{4}(-\d\d){0,2}(T[\d:.]+([Z+-][\d:]*)?)?|(https?|urn):\S*)$/;

/** The folded words of a text, in order. */
export function wordsOf(text: string): string[] {
  const words = fold(text).match(WORDS) ?? [];
  return words.some(isTooLong) ? words.filter((word) => !isTooLong(word)) : words;
}

const isTooLong = (word: string) => word.length > MAX_WORD;

export function resourceWords(resource: Resource): ResourceWords {
  const texts: string[] = [];
  collect(resource, texts);
  const div = 'text' in resource && typeof resource.text === 'object' ? resource.text?.div : undefined;
  return {
    narrative: div === undefined ? '' : joined(div.replace(MARKUP, ' ')),
    content: texts.length === 0 ? '' : joined(texts.join('\n')),
  };
}

export function haveSameWords(one: ResourceWords, other: ResourceWords): boolean {
  return one.narrative === other.narrative && one.content === other.content;
}

function joined(text: string): string {
  const words = wordsOf(text);
  return (words.length > MAX_WORDS ? words.slice(0, MAX_WORDS) : words).join(' ');
}

/** Runs for every member of every resource that is written, hence without intermediate arrays. */
function collect(value: object, texts: string[]): void {
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'string') addText(item, texts);
      else if (typeof item === 'object' && item !== null) collect(item, texts);
    }
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    if (SILENT.has(name)) continue;
    if (typeof member === 'string') addText(member, texts);
    else if (typeof member === 'object' && member !== null) collect(member, texts);
  }
}

const [DIGIT_0, DIGIT_9, LETTER_H, LETTER_U] = [48, 57, 104, 117];

function addText(text: string, texts: string[]): void {
  const first = text.charCodeAt(0);
  const mayBeNone = (first >= DIGIT_0 && first <= DIGIT_9) || first === LETTER_H || first === LETTER_U;
  if (!mayBeNone || !NO_TEXT.test(text)) texts.push(text);
}
