// Bytes of a message -> text, in the character set the message declares in MSH-18. Never guesses: a byte that is not
// valid in that set refuses the message, because a name read wrongly is worse than a name not read.
import { Refusal } from '../refusal.ts';

/** HL7 table 0211 names (and the spellings seen for them) -> how to read them. */
const CHARSETS: Record<string, 'ascii' | 'latin1' | 'utf-8'> = {
  '': 'utf-8',
  ASCII: 'ascii',
  'ISO IR6': 'ascii',
  '8859/1': 'latin1',
  '8859-1': 'latin1',
  'ISO-8859-1': 'latin1',
  UNICODE: 'utf-8',
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  UTF8: 'utf-8',
};

/** Whether a set by this name of HL7 table 0211 is read. */
export function isCharset(name: string): boolean {
  return Object.hasOwn(CHARSETS, name.trim().toUpperCase());
}

const SEGMENT_ENDS = /[\r\n]/;
/** Control characters that FHIR strings may not hold; CR and LF end segments, TAB is text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000B\u000C\u000E-\u001F]/;

/**
 * The text of a message, without a byte order mark and without blank lines before MSH.
 * @param fallback the set of a message that declares none
 * @throws Refusal 103 unknown character set, 102 bytes that are not valid in it or control characters
 */
export function decodeMessage(bytes: Uint8Array, fallback = ''): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = declaredCharset(buffer) || fallback;
  const charset = CHARSETS[name.trim().toUpperCase()];
  if (!charset) {
    throw new Refusal('AE', '103', 'MSH-18 names a character set that Baton does not read; send UTF-8.', 'MSH^1^18');
  }
  const text = decode(buffer, charset).replace(/^[\r\n]+/, '');
  if (CONTROL.test(text)) {
    throw new Refusal('AE', '102', 'The message contains control characters, which HL7 text may not hold.');
  }
  return text;
}

/**
 * The bytes of a message in the character set it declares; UTF-8 when that is not known.
 * @throws Refusal 102 when the set has not all of its characters
 */
export function encodeMessage(text: string): Uint8Array {
  const charset = CHARSETS[declaredCharset(Buffer.from(text)).trim().toUpperCase()];
  const highest = charset === 'ascii' ? 0x7f : charset === 'latin1' ? 0xff : Number.POSITIVE_INFINITY;
  if ([...text].some((char) => (char.codePointAt(0) ?? 0) > highest)) {
    throw new Refusal(
      'AE',
      '102',
      'MSH-18 declares a character set that has not all characters of the text.',
      'MSH^1^18',
    );
  }
  return Buffer.from(text, charset === 'latin1' ? 'latin1' : 'utf8');
}

/** The text of a message for people who look at it: what cannot be read as declared is read as Latin-1. */
export function readableMessage(bytes: Uint8Array): string {
  try {
    return decodeMessage(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** MSH-18 as the bytes say it; everything up to there is ASCII in all supported sets. */
function declaredCharset(buffer: Buffer): string {
  const head = buffer
    .subarray(0, 4096)
    .toString('latin1')
    .replace(/^(\xEF\xBB\xBF)?[\r\n]*/, '');
  if (!head.startsWith('MSH')) return '';
  const line = head.split(SEGMENT_ENDS, 1)[0] ?? '';
  const fields = line.split(line.charAt(3));
  const repetitionSeparator = line.charAt(5) || '~';
  return fields[17]?.split(repetitionSeparator)[0] ?? '';
}

function decode(buffer: Buffer, charset: 'ascii' | 'latin1' | 'utf-8'): string {
  if (charset === 'latin1') return buffer.toString('latin1');
  if (charset === 'ascii' && buffer.some((byte) => byte > 0x7f)) {
    throw new Refusal('AE', '102', 'MSH-18 says ASCII, but the message contains other bytes.', 'MSH^1^18');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer);
  } catch {
    const text = 'The message is not valid UTF-8; declare its character set in MSH-18 or send UTF-8.';
    throw new Refusal('AE', '102', text, 'MSH^1^18');
  }
}
