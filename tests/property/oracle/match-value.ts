// Whether one value of a resource is what a query asks for: R4's tables of search types, modifiers and prefixes, read
// literally. https://hl7.org/fhir/R4/search.html#ptypes
import { compare, decimal, halfUnit, negative, plus, tenth } from './decimals.ts';
import type { Found } from './found-values.ts';
import { impliedSystem } from './implied-systems.ts';
import { type Limits, quantityOf } from './quantities.ts';
import type { DateValue, Prefix, QuantityValue, ReferenceValue, Value } from './query.ts';
import { type ReferenceValue as Reference, targetOf } from './references.ts';
import { type Span, spanOf, spanOfPeriod, spanOfTiming } from './spans.ts';
import { codingsOf, folded, textsOf, tokenTextsOf, typedValuesOf } from './texts.ts';

/** The moment that `ap` is measured from. */
export const NOW = '2026-01-15T12:00:00Z';

/** `ne` is asked as its complement, so it does not come here. */
export function matchesValue(found: Found, asked: Value, modifier: string | undefined): boolean {
  switch (asked.kind) {
    case 'token':
      if (modifier === 'identifier') return identifierMatches(found, asked);
      return codingsOf(found).some((coding) => tokenMatches(coding, asked, found));
    case 'of-type':
      return typedValuesOf(found).some(
        ({ system, code, value }) => system === asked.system && code === asked.code && value === asked.value,
      );
    case 'string':
      return stringMatches(modifier === 'text' ? tokenTextsOf(found) : textsOf(found), asked.text, modifier);
    case 'date':
      return dateMatches(spansOf(found), asked);
    case 'number':
      return limitsMatch(quantityOf(found)?.limits, asked.prefix, asked.text);
    case 'quantity':
      return hasUnit(found, asked) && limitsMatch(quantityOf(found)?.limits, asked.prefix, asked.text);
    case 'uri':
      return uriMatches(String(found.value), asked.url, modifier);
    case 'reference':
      return referenceMatches(found, asked, modifier);
    case 'composite':
      throw new Error('Composites are asked part by part.');
  }
}

type TokenValue = Extract<Value, { kind: 'token' }>;

interface Coded {
  readonly system?: string;
  readonly code?: string;
}

function tokenMatches({ system, code }: Coded, asked: TokenValue, found: Found): boolean {
  if (asked.code !== undefined && asked.code !== code) return false;
  if (asked.system === undefined) return true;
  if (asked.system === '') return system === undefined;
  if (found.type === 'code' && asked.code !== undefined) return asked.system === impliedSystem(found.element);
  return system === asked.system;
}

function identifierMatches({ value }: Found, asked: TokenValue): boolean {
  const { identifier } = value as Reference;
  if (!identifier) return false;
  const found = { type: 'Identifier', value: identifier, element: '' };
  return codingsOf(found).some((coding) => tokenMatches(coding, asked, found));
}

function stringMatches(texts: readonly string[], asked: string, modifier: string | undefined): boolean {
  if (modifier === 'exact') return texts.includes(asked);
  const wanted = folded(asked);
  return texts.map(folded).some((text) => (modifier === 'contains' ? text.includes(wanted) : text.startsWith(wanted)));
}

export function spansOf({ type, value }: Found): Span | undefined {
  switch (type) {
    case 'date':
    case 'dateTime':
    case 'instant':
      return spanOf(String(value));
    case 'Period':
      return spanOfPeriod(value as object);
    case 'Timing':
      return spanOfTiming(value as object);
    default:
      return undefined;
  }
}

/** "The range above", "contains", "overlaps": each prefix as R4's table words it. */
export function dateMatches(stored: Span | undefined, { prefix, text }: DateValue): boolean {
  if (!stored) return false;
  const asked = spanOf(text);
  const start = stored.start ?? Number.NEGATIVE_INFINITY;
  const end = stored.end ?? Number.POSITIVE_INFINITY;
  const contains = start >= asked.start && end <= asked.end;
  switch (prefix) {
    case 'gt':
      return end > asked.end;
    case 'lt':
      return start < asked.start;
    case 'ge':
      return end > asked.end || contains;
    case 'le':
      return start < asked.start || contains;
    case 'sa':
      return start >= asked.end;
    case 'eb':
      return end <= asked.start;
    case 'ap': {
      // The documented window: a tenth of the time between then and now, at least the precision.
      const now = Temporal.Instant.from(NOW).epochMilliseconds;
      const margin = Math.max(asked.end - asked.start, Math.round(Math.abs(now - asked.start) / 10));
      return start < asked.end + margin && end > asked.start - margin;
    }
    default:
      return contains;
  }
}

/** Equality takes what rounds to the number; the other prefixes take the number as exact. */
function limitsMatch(limits: Limits | undefined, prefix: Prefix, text: string): boolean {
  if (!limits) return false;
  const asked = decimal(text);
  const { low, high, withoutLow, withoutHigh } = limits;
  const reachesAbove = !high || compare(high, asked) > 0;
  const reachesBelow = !low || compare(low, asked) < 0;
  switch (prefix) {
    case 'gt':
      return reachesAbove;
    case 'lt':
      return reachesBelow;
    case 'ge':
      return reachesAbove || (!withoutHigh && compare(high, asked) === 0);
    case 'le':
      return reachesBelow || (!withoutLow && compare(low, asked) === 0);
    case 'sa':
      return low !== undefined && (compare(low, asked) > 0 || (withoutLow && compare(low, asked) === 0));
    case 'eb':
      return high !== undefined && (compare(high, asked) < 0 || (withoutHigh && compare(high, asked) === 0));
    case 'ap': {
      const margin = tenth(asked);
      const most = plus(asked, margin);
      const least = plus(asked, negative(margin));
      const isBelow = high && (compare(high, least) < 0 || (withoutHigh && compare(high, least) === 0));
      const isAbove = low && (compare(low, most) > 0 || (withoutLow && compare(low, most) === 0));
      return !isBelow && !isAbove;
    }
    default: {
      const half = halfUnit(text);
      const first = plus(asked, negative(half));
      const past = plus(asked, half);
      if (!low || !high) return false;
      const endsInside = compare(high, past) < 0 || (withoutHigh && compare(high, past) === 0);
      return compare(low, first) >= 0 && compare(low, past) < 0 && endsInside;
    }
  }
}

export function hasUnit(found: Found, { system, code }: QuantityValue): boolean {
  const quantity = quantityOf(found);
  if (!quantity) return false;
  if (code === undefined) return true;
  if (system) return quantity.system === system && quantity.code === code;
  return quantity.code === code || quantity.unit === code;
}

/** `:below` is the URL and what is under it, `:above` the URL and what it is under; for URLs, never for URNs. */
function uriMatches(stored: string, asked: string, modifier: string | undefined): boolean {
  const versionless = stored.replace(/\|.*$/, '');
  const all = [stored, versionless];
  if (modifier === 'below') return all.some((url) => isUnder(url, asked));
  if (modifier === 'above') return all.some((url) => isUnder(asked, url));
  return all.includes(asked);
}

function isUnder(url: string, folder: string): boolean {
  if (url === folder) return true;
  if (!/^https?:\/\/./.test(folder)) return false;
  return url.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function referenceMatches(found: Found, asked: ReferenceValue, modifier: string | undefined): boolean {
  const isText = typeof found.value === 'string';
  const text = isText ? String(found.value) : ((found.value as Reference).reference ?? '');
  const stored = targetOf(isText ? text.replace(/\|.*$/, '') : text);
  if (asked.form === 'url') return stored.url === asked.url || (isText && text === asked.url);
  if (stored.local?.id !== asked.id) return false;
  if (modifier !== undefined) return stored.local.type === modifier;
  if (asked.form !== 'id') return stored.local.type === asked.type;
  return asked.targets.length === 0 || asked.targets.includes(stored.local.type);
}
