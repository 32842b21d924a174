// Where the resources of a Bundle are in its bytes, found without building them: the terminology of R4 is 22 MB as text
// and several times that as objects, and most of it is never asked for.

/** One `Bundle.entry.resource`: its bytes, and those of its own members that hold plain text. */
export interface ResourceRange {
  readonly start: number;
  /** Behind the closing brace. */
  readonly end: number;
  readonly texts: Readonly<Record<string, string>>;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;
/** Bundle, `entry`, the entry: a resource begins inside this many brackets. */
const ENTRY_DEPTH = 3;

/**
 * @param bytes a valid JSON Bundle in UTF-8
 * @param wanted names of the members to read
 */
export function* resourceRanges(bytes: Buffer, wanted: ReadonlySet<string>): Generator<ResourceRange> {
  let depth = 0;
  let key = '';
  let start = -1;
  let texts: Record<string, string> = {};
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      const end = endOfString(bytes, at);
      const ownMember = start >= 0 ? depth === ENTRY_DEPTH + 1 : depth === ENTRY_DEPTH;
      if (ownMember) {
        if (isKey(bytes, end)) key = bytes.toString('utf8', at + 1, end - 1);
        else if (start >= 0 && wanted.has(key)) texts[key] = JSON.parse(bytes.toString('utf8', at, end)) as string;
      }
      at = end - 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth === ENTRY_DEPTH && key === 'resource') {
        start = at;
        texts = {};
      }
      depth++;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth--;
      if (depth === ENTRY_DEPTH && start >= 0) {
        yield { start, end: at + 1, texts };
        start = -1;
        key = '';
      }
    }
  }
}

/** Index behind the closing quote. Byte by byte, which is a third of the time: most strings are shorter than a call of `indexOf`. */
function endOfString(bytes: Buffer, open: number): number {
  for (let at = open + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return bytes.length;
}

function isKey(bytes: Buffer, end: number): boolean {
  let at = end;
  while ((bytes[at] as number) <= 0x20) at++;
  return bytes[at] === COLON;
}
