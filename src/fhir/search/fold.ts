// Text made comparable for search: no case, no accents, plain spaces.
// https://hl7.org/fhir/R4/search.html#string

const MARKS = /\p{M}+/gu;
const SPACES = /\s+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is exactly the range that needs no Unicode work.
const ASCII = /^[\x00-\x7f]*$/;

/** Lower case, canonical decomposition without combining marks, runs of white space as one space. */
export function fold(text: string): string {
  const plain = ASCII.test(text) ? text.toLowerCase() : foldLetters(text);
  return plain.replace(SPACES, ' ').trim();
}

/** Through upper case, where ß is SS; the two lower cases of Σ, of which a word's end decides, are one. */
function foldLetters(text: string): string {
  const upper = withoutMarks(withoutMarks(text).toUpperCase());
  return upper.toLowerCase().replaceAll('ς', 'σ');
}

function withoutMarks(text: string): string {
  return text.normalize('NFD').replace(MARKS, '');
}
