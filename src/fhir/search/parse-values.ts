// The values of one search parameter: commas, escapes, prefixes and parts, as typed matches.
// https://hl7.org/fhir/R4/search.html#escaping
import { Fault } from '../../fault.ts';
import { dateRange } from './date-range.ts';
import { decimalRange } from './decimal-range.ts';
import { fold } from './fold.ts';
import type { DateMatch, NumberMatch, Prefix, QuantityMatch, TokenMatch, ValueKind, ValueMatch } from './query.ts';
import { referenceTarget } from './reference-target.ts';

export interface ValueContext {
  /** As the request wrote it, for error messages. */
  readonly name: string;
  /** This server's FHIR base without a trailing slash. */
  readonly baseUrl: string;
  /** What a bare id may refer to; empty when anything. */
  readonly targets: readonly string[];
  /** Milliseconds since the epoch: how far away a date is decides what is approximate. */
  readonly now: () => number;
}

/** More alternatives than this in one parameter are refused rather than planned: codes and ids are cheap, ranges not. */
export const MAX_LISTED = 2_000;
const MAX_ALTERNATIVES = 200;
const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)$/s;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:/;

/** The alternatives of a value, still escaped. @throws Fault invalid */
export function alternatives(value: string, name: string, most = MAX_ALTERNATIVES): string[] {
  const parts = splitUnescaped(value, ',');
  if (parts.length > most) {
    throw new Fault('invalid', `${name} has ${parts.length} values; at most ${most} are allowed.`, {
      code: 'too-costly',
    });
  }
  if (parts.some((part) => part === '')) throw malformed({ name }, 'an empty value', 'Remove the stray comma.');
  return parts;
}

/** One alternative as it is looked up in the index of its kind. @throws Fault invalid */
export function parseValue(kind: ValueKind, text: string, context: ValueContext): ValueMatch {
  switch (kind) {
    case 'token':
      return parseToken(text, context);
    case 'reference':
      return parseReference(unescaped(text), context);
    case 'date':
      return parseDate(text, context);
    case 'string':
      return { kind, mode: 'starts', value: fold(unescaped(text)) };
    case 'number':
      return parseNumber(text, context);
    case 'quantity':
      return parseQuantity(text, context);
    case 'uri':
      return { kind, mode: 'exact', value: unescaped(text) };
  }
}

export function parseToken(text: string, context: Pick<ValueContext, 'name'>): TokenMatch {
  const [first = '', second, ...rest] = splitUnescaped(text, '|').map(unescaped);
  if (second === undefined) return { kind: 'token', code: first };
  if (rest.length > 0 || (first === '' && second === '')) {
    throw malformed(context, `"${text}"`, 'A token is code, system|code, |code or system|.');
  }
  return second === '' ? { kind: 'token', system: first } : { kind: 'token', system: first, code: second };
}

function parseReference(text: string, context: ValueContext): ValueMatch {
  if (ID.test(text)) return { kind: 'reference', types: context.targets, id: text };
  const target = referenceTarget(text, context.baseUrl);
  if (!target || (target.type === '' && !ABSOLUTE.test(text))) {
    throw malformed(context, `"${text}"`, 'A reference is an id, Type/id or an absolute URL.');
  }
  return { kind: 'reference', types: [target.type], id: target.id };
}

/** @throws Fault invalid, also for dates that do not exist */
export function parseDate(text: string, context: Pick<ValueContext, 'name' | 'now'>): DateMatch {
  const { prefix, rest } = prefixOf(text);
  const range = dateRange(rest);
  if (!range) {
    const hint = rest.includes(' ')
      ? 'Write the + of an offset as %2B.'
      : 'A date is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss][Z|±hh:mm], and must exist.';
    throw malformed(context, `"${text}"`, hint);
  }
  if (prefix !== 'ap') return { kind: 'date', prefix, ...range };
  // R4 recommends a tenth of the time between then and now; at least as much as the precision leaves open.
  const margin = Math.max(range.high - range.low, Math.round(Math.abs(context.now() - range.low) / 10));
  return { kind: 'date', prefix, low: range.low - margin, high: range.high + margin };
}

function parseNumber(text: string, context: ValueContext): NumberMatch {
  const { prefix, rest } = prefixOf(text);
  return { kind: 'number', prefix, ...decimal(prefix, rest, context) };
}

function parseQuantity(text: string, context: ValueContext): QuantityMatch {
  const { prefix, rest } = prefixOf(text);
  const [number = '', system, code, ...more] = splitUnescaped(rest, '|').map(unescaped);
  if (more.length > 0 || (system !== undefined && code === undefined)) {
    throw malformed(context, `"${text}"`, 'A quantity is number, number|system|code or number||code.');
  }
  return {
    kind: 'quantity',
    prefix,
    ...decimal(prefix, number, context),
    ...(system ? { system } : {}),
    ...(code ? { code } : {}),
  };
}

function decimal(prefix: Prefix, text: string, context: Pick<ValueContext, 'name'>) {
  const range = decimalRange(text);
  if (!range) throw malformed(context, `"${text}"`, 'A number is written like 5, 5.40 or 1e2.');
  if (prefix !== 'ap') return range;
  const margin = Math.abs(range.value) * 0.1;
  return { ...range, low: range.value - margin, high: range.value + margin };
}

function prefixOf(text: string): { readonly prefix: Prefix; readonly rest: string } {
  const [, prefix = 'eq', rest = ''] = PREFIXED.exec(text) ?? [];
  return { prefix: prefix as Prefix, rest };
}

/** Splits at separators that no backslash precedes; the parts keep their escapes. */
export function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** `\,` `\|` `\$` `\\` as the character that they stand for. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\([,|$\\])/g, '$1') : text;
}

/** The value is echoed to the client only; the fault's message carries no content into logs. */
export function malformed(context: Pick<ValueContext, 'name'>, what: string, hint: string): Fault {
  const text = `The search parameter ${context.name} has ${what}, which is not understood. ${hint}`;
  return new Fault('invalid', `The search parameter ${context.name} has a value that is not understood.`, {
    issues: [{ severity: 'error', code: 'value', details: { text } }],
  });
}
