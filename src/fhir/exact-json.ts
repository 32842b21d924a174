// JSON whose decimals keep the digits they were written with, because in FHIR 1.00 says more than 1. Values are plain
// numbers; where JavaScript would write one differently, its text is kept beside it, under a symbol that copies of the
// object take along and that nothing else sees. https://hl7.org/fhir/R4/datatypes.html#decimal
import { Fault } from '../fault.ts';
import { canonicalJson, type Json } from './canonical-json.ts';

declare global {
  interface JSON {
    /** https://github.com/tc39/proposal-json-parse-with-source, which TypeScript does not know yet. */
    rawJSON(text: string): object;
  }
}

const EXACT = Symbol('exact decimals');

/** An object whose numbers, or those of an object below it, have texts. */
type Marked = Record<PropertyKey, unknown> & { [EXACT]?: Record<string, string> };

interface Exact {
  /** Which number of the document it is, counted from 0. */
  readonly ordinal: number;
  readonly text: string;
}

/** @throws SyntaxError, and Fault invalid for a number that is too large to calculate with */
export function parseExact<T>(text: string): T {
  const value = JSON.parse(text);
  keepExact(text, value);
  return value;
}

/**
 * Puts the texts of a JSON document's numbers beside the values that were parsed from it.
 * @throws Fault invalid for a number that is too large to calculate with
 */
export function keepExact(text: string, value: unknown): void {
  const numbers = exactNumbers(text);
  if (numbers.length > 0 && typeof value === 'object' && value !== null) mark(value, numbers, { number: 0, next: 0 });
}

/** Whether the texts of some of its numbers are kept. */
export const hasExact = (value: object): boolean => EXACT in value;

/** JSON text with every decimal as it was written. @param indent spaces, for people */
export function stringifyExact(value: object, indent?: number): string {
  return EXACT in value ? JSON.stringify(value, withTexts, indent) : JSON.stringify(value, undefined, indent);
}

/** Whether two JSON texts differ in nothing but the order of members; 1.0 and 1.00 differ. */
export function sameExact(left: string, right: string): boolean {
  return left === right || canonicalJson(withDigits(left)) === canonicalJson(withDigits(right));
}

function withDigits(text: string): Json {
  type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;
  const reviver: Reviver = (_, value, { source }) => (typeof value === 'number' ? { digits: source } : value);
  return JSON.parse(text, reviver as Parameters<typeof JSON.parse>[1]);
}

/** The text of a number, when it is another than JavaScript would write. */
export function exactText(holder: object, key: string | number): string | undefined {
  return (holder as Marked)[EXACT]?.[key];
}

/** Sets a member with the text that its number was written with, or without one. */
export function setExact(holder: object, key: string | number, value: unknown, text: string | undefined): void {
  const marked = holder as Marked;
  marked[key] = value;
  if (text !== undefined) {
    marked[EXACT] ??= {};
    marked[EXACT][key] = text;
  } else if (marked[EXACT]) delete marked[EXACT][key];
}

/** Tells that texts may be found anywhere below an object that has been put together from parts. */
export function expectExact<T extends object>(root: T): T {
  (root as Marked)[EXACT] ??= {};
  return root;
}

/** A copy that shares nothing with the original, texts of numbers included. */
export function cloneExact<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneExact) as T;
  const copy = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, cloneExact(child)])) as Marked;
  const texts = (value as Marked)[EXACT];
  if (texts) copy[EXACT] = { ...texts };
  return copy as T;
}

function withTexts(this: Marked, key: string, value: unknown): unknown {
  const text = typeof value === 'number' ? this[EXACT]?.[key] : undefined;
  // A value that somebody has changed since is written as what it is now.
  return text !== undefined && Number(text) === value ? JSON.rawJSON(text) : value;
}

/** Every object on the way to such a number is marked, so that each of them can be written on its own. */
function mark(node: object, numbers: readonly Exact[], at: { number: number; next: number }): boolean {
  let found = false;
  for (const [key, child] of Object.entries(node)) {
    if (typeof child === 'object' && child !== null) {
      if (mark(child, numbers, at)) found = true;
    } else if (typeof child === 'number') {
      const exact = numbers[at.next];
      if (exact?.ordinal === at.number) {
        setExact(node, key, child, exact.text);
        at.next += 1;
        found = true;
      }
      at.number += 1;
    }
  }
  if (found) expectExact(node);
  return found;
}

const NUMBER = /-?\d[\d.eE+-]*/y;

function exactNumbers(text: string): Exact[] {
  const found: Exact[] = [];
  let ordinal = 0;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === 0x22) position = endOfString(text, position);
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = position;
      const number = NUMBER.exec(text)?.[0] ?? '';
      if (!isAsWritten(number)) found.push({ ordinal, text: number });
      ordinal += 1;
      position += Math.max(0, number.length - 1);
    }
  }
  return found;
}

function endOfString(text: string, start: number): number {
  for (let position = start + 1; ; position += 1) {
    position = text.indexOf('"', position);
    if (position < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(position - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return position;
  }
}

/** @throws Fault invalid for a number beyond the range of a double, with which nothing could be compared */
function isAsWritten(text: string): boolean {
  if (text.length <= 15 && /^-?[1-9]\d*$|^0$/.test(text)) return true;
  const value = Number(text);
  if (Number.isFinite(value)) return String(value) === text;
  throw new Fault('invalid', 'A number of the JSON is larger than any quantity: its exponent is too high.', {
    code: 'value',
  });
}
