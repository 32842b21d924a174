// Text made comparable for search: no case, no accents, plain spaces.
// https://hl7.org/fhir/R4/search.html#string

const MARKS = /\p{M}+/gu;
const SPACES = /\s+/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is exactly the range that needs no Unicode work.
const ASCII = /^[\x00-\x7f]*$/;

/** Lower case, canonical decomposition without combining marks, runs of white space as one space. */
export function fold(text: string): string {
  const plain = ASCII.test(text) ? text : text.normalize('NFD').replace(MARKS, '');
  return plain.toLowerCase().replace(SPACES, ' ').trim();
}
