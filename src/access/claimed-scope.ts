// The scopes of a token as one string of bounded length, whichever way the issuer writes them: `scope` as text or as a
// list, or `scp`. https://www.rfc-editor.org/rfc/rfc6749#section-3.3
import { Fault } from '../fault.ts';
import type { Claims } from './claims.ts';

/** What comes after so many scopes grants nothing. */
const MOST_SCOPES = 200;
const MAX_SCOPE_LENGTH = 512;
/** Printable ASCII but space, quote and backslash; what has anything else in it is no scope. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** @returns scopes with spaces between them, each once. @throws Fault unauthenticated when the claim is no text or list */
export function scopeIn(claims: Claims): string {
  const name = (claims.scope ?? undefined) === undefined ? 'scp' : 'scope';
  const value = claims[name] ?? '';
  const texts: readonly unknown[] = Array.isArray(value) ? value.slice(0, MOST_SCOPES) : [value];
  if (!texts.every((text) => typeof text === 'string')) {
    throw new Fault('unauthenticated', `The claim \`${name}\` of the token is neither text nor a list of texts.`);
  }
  const words = texts.flatMap((text) => text.split(' ', MOST_SCOPES)).slice(0, MOST_SCOPES);
  return [...new Set(words.filter((word) => word.length <= MAX_SCOPE_LENGTH && SCOPE.test(word)))].join(' ');
}
