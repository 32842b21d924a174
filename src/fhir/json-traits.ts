// What must be known of JSON text before it is parsed, found in one pass over its bytes.

export interface JsonTraits {
  /** Deepest nesting of objects and arrays. */
  readonly depth: number;
  /** Members of all objects, names written twice counted twice. */
  readonly members: number;
  /** Some text has an escape of a surrogate or a control character, which may be no character of FHIR. */
  readonly oddEscapes: boolean;
  /** Some number may not be written by JavaScript as it was sent: it has a point, an exponent, or many digits. */
  readonly decimals: boolean;
}

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, COLON] = Buffer.from('"\\{}[]:');
const [POINT, PLUS, MINUS, ZERO, NINE] = Buffer.from('.+-09');
const [LOWER_B, LOWER_D, LOWER_E, LOWER_F, LOWER_U] = Buffer.from('bdefu');
const TO_LOWER = 0x20;
/** Integers of more digits may not be exact as doubles. */
const EXACT_DIGITS = 15;

export function traitsOf(bytes: Buffer): JsonTraits {
  let members = 0;
  let depth = 0;
  let deepest = 0;
  let inString = false;
  let oddEscapes = false;
  let decimals = false;
  for (let position = 0; position < bytes.length; position += 1) {
    const byte = bytes[position] as number;
    if (inString) {
      if (byte === BACKSLASH) {
        position += 1;
        oddEscapes ||= isOddEscape(bytes, position);
      } else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
    else if (byte === COLON) members += 1;
    else if (isDigit(byte) || byte === MINUS) {
      const end = endOfNumber(bytes, position);
      decimals ||= byte === MINUS || end - position > EXACT_DIGITS || !allDigits(bytes, position, end);
      position = end - 1;
    }
  }
  return { depth: deepest, members, oddEscapes, decimals };
}

/** `\\ud…`, `\\u00…`, `\\b` and `\\f`; the position is that of the letter. */
function isOddEscape(bytes: Buffer, position: number): boolean {
  const letter = bytes[position];
  if (letter === LOWER_B || letter === LOWER_F) return true;
  if (letter !== LOWER_U) return false;
  const next = bytes[position + 1] ?? 0;
  return (next | TO_LOWER) === LOWER_D || (next === ZERO && bytes[position + 2] === ZERO);
}

function endOfNumber(bytes: Buffer, start: number): number {
  let end = start + 1;
  for (let byte = bytes[end] ?? 0; isDigit(byte) || isInNumber(byte); byte = bytes[end] ?? 0) end += 1;
  return end;
}

function allDigits(bytes: Buffer, start: number, end: number): boolean {
  for (let position = start; position < end; position += 1) if (!isDigit(bytes[position] as number)) return false;
  return true;
}

const isDigit = (byte: number) => byte >= (ZERO as number) && byte <= (NINE as number);

/** Point, signs and exponent. */
const isInNumber = (byte: number) => byte === POINT || byte === MINUS || byte === PLUS || (byte | TO_LOWER) === LOWER_E;
