// The URL of a FHIR interaction below the base, taken apart: `Task/12/_history/3`, `Task?status=requested`.
// https://hl7.org/fhir/R4/http.html#styleguide
import { Fault } from '../fault.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];

export interface RequestUrl {
  /** Decoded path segments, none of them empty. */
  readonly segments: readonly string[];
  readonly pairs: Pairs;
}

/** `id` of https://hl7.org/fhir/R4/datatypes.html#id */
const ID = /^[A-Za-z0-9\-.]{1,64}$/;

/** Parameters that shape an answer and select nothing, so they are no criteria. */
const PRESENTATION = new Set(['_format', '_pretty', '_summary', '_elements', '_count', '_total', '_sort']);

/**
 * @param url relative to `baseUrl`, or absolute below it
 * @throws Fault invalid when it points to another server
 */
export function parseRequestUrl(url: string, baseUrl: string, expression: string): RequestUrl {
  const relative = url.startsWith(`${baseUrl}/`) ? url.slice(baseUrl.length) : url;
  if (/^[a-z][a-z0-9+.-]*:/i.test(relative)) {
    throw new Fault('invalid', `The URL must be relative or start with ${baseUrl}.`, { expression, code: 'value' });
  }
  const [path = '', ...query] = relative.split('?');
  try {
    const segments = path.split('/').filter(Boolean).map(decodeURIComponent);
    return { segments, pairs: pairsOf(query.join('?')) };
  } catch (cause) {
    throw new Fault('invalid', 'The URL has a broken percent-encoding.', { expression, code: 'value', cause });
  }
}

/**
 * Name-value pairs of a query string or form, in order, decoded once.
 * @throws Fault invalid for a percent-encoding that is no UTF-8, and for the character 0, which no text of FHIR has and no
 * database takes
 */
export function pairsOf(query: string): Pairs {
  if (query === '') return [];
  if (query.includes('%00') || query.includes('\0')) {
    throw new Fault('invalid', 'The parameters have the character 0 in them.', { code: 'value' });
  }
  if (query.includes('%')) refuseBrokenEncoding(query);
  return [...new URLSearchParams(query)];
}

/** `%ff` would silently become another character, and the search another search. */
function refuseBrokenEncoding(query: string): void {
  try {
    decodeURIComponent(query);
  } catch (cause) {
    throw new Fault('invalid', 'The parameters have a percent-encoding that is broken or not UTF-8.', {
      code: 'value',
      cause,
    });
  }
}

export function isId(text: string): boolean {
  return ID.test(text);
}

/** The same for a value that came from outside, and no dots alone: it becomes part of a URL. */
export function isFhirId(value: unknown): value is string {
  return typeof value === 'string' && isId(value) && !/^\.+$/.test(value);
}

/**
 * The search criteria of a conditional interaction, as a query string without `?`.
 * @param text `identifier=x`, also with a leading `?` or `Type?`
 * @param type of the resource that the interaction is about
 * @throws Fault invalid when nothing is selected by it, because it would apply to every resource, or when it names
 * another type
 */
export function criteriaOf(text: string, type: string, where: string): string {
  const [, named, query = ''] = /^(?:([A-Za-z]*)\?)?(.*)$/s.exec(text.trim()) ?? [];
  if (named && named !== type) {
    throw new Fault('invalid', `${where} must search for a ${type}, because that is what the request is about.`, {
      code: 'value',
    });
  }
  const criteria = pairsOf(query).filter(([name]) => !PRESENTATION.has(name));
  if (criteria.length > 0) return new URLSearchParams(criteria.map(([name, value]) => [name, value])).toString();
  throw new Fault('invalid', `${where} needs search criteria such as identifier=system|value.`, { code: 'required' });
}
