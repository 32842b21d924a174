// String and uri values: plain text, every part of names and addresses, URLs and canonicals.
// https://hl7.org/fhir/R4/search.html#string
import { fold } from './fold.ts';
import type { Place, RowCollector } from './index-rows.ts';

/** The searchable parts of HumanName, Address, CodeableConcept and Annotation; `use`, `type` and `period` are none. */
const PARTS = [
  'text',
  'family',
  'given',
  'prefix',
  'suffix',
  'line',
  'city',
  'district',
  'state',
  'postalCode',
  'country',
] as const;

export function extractString(value: unknown, place: Place, out: RowCollector): void {
  if (typeof value === 'string') {
    out.string(place, fold(value), value);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const source = value as Partial<Record<(typeof PARTS)[number], unknown>>;
  for (const part of PARTS) {
    const content = source[part];
    for (const text of Array.isArray(content) ? content : [content]) {
      if (typeof text === 'string') out.string(place, fold(text), text);
    }
  }
}

/** A canonical with a version is found with and without it. */
export function extractUri(value: unknown, place: Place, out: RowCollector): void {
  if (typeof value !== 'string') return;
  out.uri(place, value);
  const bar = value.indexOf('|');
  if (bar > 0) out.uri(place, value.slice(0, bar));
}
