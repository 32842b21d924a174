// The text filter of $expand: every word must begin a word of the code, the display or a designation; case and accents
// do not matter. https://hl7.org/fhir/R4/valueset-operation-expand.html
import { fold } from '../search/fold.ts';

const MAX_WORDS = 20;

/** @returns a test of texts; a filter without a word lets everything through */
export function textFilter(filter: string): (texts: readonly (string | undefined)[]) => boolean {
  const wanted = wordsOf(filter).slice(0, MAX_WORDS);
  return (texts) => {
    const words = texts.flatMap((text) => (text === undefined ? [] : wordsOf(text)));
    return wanted.every((start) => words.some((word) => word.startsWith(start)));
  };
}

const wordsOf = (text: string) => fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];
