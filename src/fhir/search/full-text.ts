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
  return wordsIn(textsOf(resource));
}

/** The words of a resource; undefined when those of an earlier version of it are certainly the same. */
export function changedWords(resource: Resource, before: Resource): ResourceWords | undefined {
  const [texts, old] = [textsOf(resource), textsOf(before)];
  // Few versions differ in their texts and not in their words, so only the texts are compared: folding costs more.
  const areSame = texts.div === old.div && texts.content === old.content;
  return areSame ? undefined : wordsIn(texts);
}

/** What a resource says, before it is taken apart. */
interface Texts {
  readonly div: string | undefined;
  readonly content: string;
}

function textsOf(resource: Resource): Texts {
  const texts: string[] = [];
  collect(resource, texts);
  const div = 'text' in resource && typeof resource.text === 'object' ? resource.text?.div : undefined;
  return { div, content: texts.join('\n') };
}

function wordsIn({ div, content }: Texts): ResourceWords {
  return {
    narrative: div === undefined ? '' : joined(div.replace(MARKUP, ' ')),
    content: content === '' ? '' : joined(content),
  };
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
  for (const name in value) {
    if (SILENT.has(name)) continue;
    const member: unknown = (value as Record<string, unknown>)[name];
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
