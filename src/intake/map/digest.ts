// A short name for "the same thing as in an earlier message", made from what makes it that thing.
import { createHash } from 'node:crypto';

/** The same parts always give the same text; nothing of the parts can be read in it. */
export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32);
}
