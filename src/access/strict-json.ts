// A JSON object out of bytes from outside, without what two readers could understand differently: broken UTF-8, and of two
// members with one name the last. https://www.rfc-editor.org/rfc/rfc7519#section-4
import { isUtf8 } from 'node:buffer';

export type JsonObject = Readonly<Record<string, unknown>>;

/** @returns undefined when the bytes are anything but one unambiguous JSON object */
export function parseObject(bytes: Buffer): JsonObject | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return countMembers(value) === countWritten(text) ? (value as JsonObject) : undefined;
  } catch {
    // Not JSON, or nested so deep that walking it exhausts the stack.
    return undefined;
  }
}

/** The object's own member of that name; undefined when there is none, or the value is no object. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as JsonObject)[name]
    : undefined;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((count, child) => count + countMembers(child), own);
}

/** Members as they were written: colons outside of strings, in text that is known to be JSON. */
const countWritten = (text: string) => text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
