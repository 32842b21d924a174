// Names, numbers and addresses in the form in which they are compared: what people write differently, and mean the same,
// becomes the same text. Pure.

/** Letters that do not fall apart into a letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
};

/** Words of a name, without case, accents and punctuation; hyphens divide words. */
export function nameWords(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => LETTERS[letter] ?? letter)
    .replace(/['’`´.]/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** Digits of a telephone number, the last ten at most, because the country code is often left out; '' when there are few. */
export function phoneDigits(text: string): string {
  const digits = text.replace(/(?:ext\.?|x)\s*\d+$/i, '').replace(/\D/g, '');
  return digits.length < 7 ? '' : digits.slice(-10);
}

export function emailAddress(text: string): string {
  return text.trim().toLowerCase();
}

/** The part of a postal code that both long and short forms have: five digits in the US, else all of it. */
export function postalCode(text: string): string {
  const compact = text.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return /^\d{9}$/.test(compact) ? compact.slice(0, 5) : compact;
}

const STREET_WORDS: Readonly<Record<string, string>> = {
  street: 'st',
  avenue: 'ave',
  road: 'rd',
  drive: 'dr',
  boulevard: 'blvd',
  lane: 'ln',
  court: 'ct',
  apartment: 'apt',
  north: 'n',
  south: 's',
  east: 'e',
  west: 'w',
};

/** A street line with the usual words in their short form. */
export function streetLine(text: string): string {
  return nameWords(text)
    .map((word) => STREET_WORDS[word] ?? word)
    .join(' ');
}

/** How many letters must be put in, taken out, replaced or changed over with their neighbour; 2 stands for "2 or more". */
export function editDistance(left: string, right: string): 0 | 1 | 2 {
  if (left === right) return 0;
  let start = 0;
  while (start < left.length && left[start] === right[start]) start += 1;
  const [a, b] = [left.slice(start), right.slice(start)];
  const oneReplaced = a.slice(1) === b.slice(1);
  const oneMore = a.slice(1) === b || a === b.slice(1);
  const turned = a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return oneReplaced || oneMore || turned ? 1 : 2;
}
