// One searched value against one index row, as the store's SQL compares them (store/search/value-sql.ts).
// https://hl7.org/fhir/R4/search.html#prefix
import { fold } from '../fold.ts';
import type { IndexRow } from '../index-rows.ts';
import type { DateMatch, NumberMatch, QuantityMatch, StringMatch, UriMatch, ValueMatch } from '../query.ts';

/** @param row of the match's kind, as `RowCollector` makes them: parameter and part first */
export function matchesRow(match: ValueMatch, row: IndexRow): boolean {
  const [, , first = '', second = '', ...rest] = row;
  switch (match.kind) {
    case 'token':
      return (
        (match.system === undefined || match.system === first) && (match.code === undefined || match.code === second)
      );
    case 'reference': {
      if (match.mode === 'below') return first === '' && isVersionOf(String(second), match.id);
      const isOfType = match.types.length === 0 ? first !== '' : match.types.includes(String(first));
      return isOfType && second === match.id;
    }
    case 'date':
      return matchesDate(match, Number(first), Number(second));
    case 'string':
      return matchesString(match, String(first), String(second));
    case 'number':
      return matchesNumber(match, Number(first), Number(second));
    case 'quantity':
      return matchesNumber(match, Number(first), Number(second)) && hasUnit(match, rest);
    case 'uri':
      return matchesUri(match, String(first));
  }
}

function isVersionOf(target: string, wanted: string): boolean {
  return target === wanted ? true : wanted.includes('|') && target.startsWith(`${wanted}.`);
}

/** Both ranges are half-open. */
export function matchesDate({ prefix, low, high }: DateMatch, from: number, until: number): boolean {
  switch (prefix) {
    case 'eq':
      return from >= low && from < high && until <= high;
    case 'ne':
      return from < low || until > high;
    case 'gt':
      return until > high;
    case 'lt':
      return from < low;
    case 'ge':
      return until > low && (until > high || from >= low);
    case 'le':
      return from < high && (from < low || until <= high);
    case 'sa':
      return from >= high;
    case 'eb':
      return until <= low;
    case 'ap':
      return from < high && until > low;
    case 'co':
      return from <= low && until >= high;
  }
}

function matchesString({ mode, value }: StringMatch, folded: string, exact: string): boolean {
  switch (mode) {
    case 'starts':
      return folded.startsWith(value);
    case 'exact':
      return exact === value && folded === fold(value);
    case 'contains':
      return folded.includes(value);
    case 'ends':
      return folded.endsWith(value);
    case 'equals':
      return folded === value;
    case 'gt':
      return folded > value;
    case 'lt':
      return folded < value;
    case 'ge':
      return folded >= value;
    case 'le':
      return folded <= value;
  }
}

function matchesNumber({ prefix, low, high, value }: Omit<NumberMatch, 'kind'>, from: number, to: number): boolean {
  switch (prefix) {
    case 'eq':
      return from >= low && from < high && to < high;
    case 'ne':
      return from < low || to >= high;
    case 'gt':
      return to > value;
    case 'lt':
      return from < value;
    case 'ge':
      return to >= value;
    case 'le':
      return from <= value;
    case 'sa':
      return from > value;
    case 'eb':
      return to < value;
    case 'ap':
      return from <= high && to >= low;
  }
}

function hasUnit({ system, code }: QuantityMatch, [ofSystem, ofCode, unit]: IndexRow): boolean {
  if (code === undefined) return system === undefined || system === ofSystem;
  if (system !== undefined) return code === ofCode && system === ofSystem;
  return code === ofCode || code === unit;
}

function matchesUri({ mode, value }: UriMatch, found: string): boolean {
  if (found === value) return true;
  if (mode === 'below') return found.startsWith(value.endsWith('/') ? value : `${value}/`);
  return mode === 'above' && value.startsWith(found.endsWith('/') ? found : `${found}/`);
}
