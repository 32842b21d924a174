// Text that the fonts every PDF reader has can show. They know Western European letters only; pdfkit would write wrong
// letters for the others, and a wrong letter in a name is worse than a mark that says that one is missing.
// https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT

/** What of Windows-1252 is not in Latin-1. */
const EXTRA = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');

/** Letters and signs that are no base letter with an accent. */
const PLAIN: Readonly<Record<string, string>> = {
  Ł: 'L',
  ł: 'l',
  Đ: 'D',
  đ: 'd',
  Ħ: 'H',
  ħ: 'h',
  ı: 'i',
  '≤': '<=',
  '≥': '>=',
  '≠': '!=',
  '→': '->',
  '−': '-',
  '‐': '-',
  '‑': '-',
  '″': '"',
  '′': "'",
};

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** More in a row are counted instead of listed. */
const LISTED = 40;

/** The text with what the fonts lack replaced; `isChanged` when a reader must be told. */
export function printable(text: string): { readonly text: string; readonly isChanged: boolean } {
  let out = '';
  let missing: string[] = [];
  const flush = () => {
    if (missing.length > LISTED) out += `[${missing.length} characters not shown]`;
    else out += missing.map((code) => `[${code}]`).join('');
    missing = [];
  };
  for (const { segment } of GRAPHEMES.segment(text.normalize('NFC'))) {
    const shown = shownAs(segment);
    if (shown === undefined) missing.push(...[...segment].map(codePoint));
    else {
      flush();
      out += shown;
    }
  }
  flush();
  return { text: out, isChanged: out !== text.normalize('NFC') };
}

function shownAs(grapheme: string): string | undefined {
  if (isKnown(grapheme)) return grapheme;
  const base = [...grapheme.normalize('NFD')].filter((character) => !/\p{M}/u.test(character)).join('');
  const plain = PLAIN[base] ?? base;
  return isKnown(plain) && plain !== '' ? plain : undefined;
}

function isKnown(text: string): boolean {
  return [...text].every((character) => /[\x20-\x7e\xa0-\xff]/.test(character) || EXTRA.has(character));
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
