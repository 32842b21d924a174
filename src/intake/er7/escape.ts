// HL7 v2 escape sequences (chapter 2, "Use of escape sequences in text fields"), both ways.
import type { Hl7Context } from '@medplum/core';

/** Text as a person reads it: `\T\` becomes the subcomponent separator, `\.br\` a line break, `\X..\` its bytes. */
export function unescapeText(text: string, context: Hl7Context): string {
  const mark = context.escapeCharacter;
  if (!mark || !text.includes(mark)) return text;
  const parts = text.split(mark);
  let result = parts[0] ?? '';
  let at = 1;
  while (at < parts.length) {
    const code = parts[at] ?? '';
    const replaced = at + 1 < parts.length ? sequence(code, context) : undefined;
    if (replaced === undefined) {
      result += mark + code;
      at += 1;
    } else {
      result += replaced + (parts[at + 1] ?? '');
      at += 2;
    }
  }
  return result;
}

/** Text made safe for a field of an outgoing message; line breaks become spaces. */
export function escapeText(text: string, context: Hl7Context): string {
  const names: Record<string, string> = {
    [context.fieldSeparator]: 'F',
    [context.componentSeparator]: 'S',
    [context.subcomponentSeparator]: 'T',
    [context.repetitionSeparator]: 'R',
    [context.escapeCharacter]: 'E',
  };
  const mark = context.escapeCharacter;
  return Array.from(text.replace(/[\r\n]+/g, ' '), (char) => (names[char] ? mark + names[char] + mark : char)).join('');
}

function sequence(code: string, context: Hl7Context): string | undefined {
  switch (code) {
    case 'F':
      return context.fieldSeparator;
    case 'S':
      return context.componentSeparator;
    case 'T':
      return context.subcomponentSeparator;
    case 'R':
      return context.repetitionSeparator;
    case 'E':
      return context.escapeCharacter;
    case 'P':
      return '#';
    case 'H':
    case 'N':
      return '';
    case '.br':
      return '\n';
  }
  if (/^X([0-9A-Fa-f]{2})+$/.test(code)) return hexText(code.slice(1));
  if (/^\.(sp|in|ti|fi|nf|ce|sk)[+-]?\d*$/.test(code)) return code.startsWith('.sp') ? '\n' : ' ';
  if (/^[ZCM][0-9A-Fa-z]*$/.test(code)) return '';
  return undefined;
}

/** The bytes of `\X..\` as UTF-8, or as Latin-1 when they are not; without control characters, which FHIR forbids. */
function hexText(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const utf8 = bytes.toString('utf8');
  const text = utf8.includes('\uFFFD') ? bytes.toString('latin1') : utf8;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '');
}
