// Text as the indexes hold it. PostgreSQL's index entries are limited to a third of a page, so a long code, id or URL is
// cut and told apart from others by its hash. What is stored and what is asked for go through here alike.
// https://www.postgresql.org/docs/18/limits.html
import { hash } from 'node:crypto';

/** Characters; four bytes each, twice in one entry (system and code), stay below the limit of 2,704 bytes. */
const LONGEST = 300;
const KEPT = 250;

export function indexedText(given: string): string {
  const text = withoutNul(given);
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, KEPT)}#${hash('sha256', text, 'base64url')}`;
}

/** Neither PostgreSQL's text nor SQLite's functions can hold U+0000, nor can UTF-8 hold half of a surrogate pair. */
export function withoutNul(text: string): string {
  const whole = text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\ufffd') : whole;
}
