// Token values: codes, identifiers, contact points and booleans as (system, code), their texts as strings for `:text`.
// https://hl7.org/fhir/R4/search.html#token
import { fold } from './fold.ts';
import type { Place, RowCollector } from './index-rows.ts';

/** Everything a token can be made from; which of them it is shows in its members. */
interface TokenSource {
  readonly coding?: readonly TokenSource[];
  readonly text?: string;
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
  readonly value?: string;
  readonly type?: TokenSource;
}

/** A row without system and code says that there is a value, so that `:missing` is right for a concept with text only. */
export function extractToken(value: unknown, place: Place, out: RowCollector): void {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
    out.token(place, '', String(value));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const source = value as TokenSource;
  if (source.coding || source.text !== undefined) {
    for (const coding of source.coding ?? []) addCoding(coding, place, out);
    if (!source.coding?.length) out.token(place, '', '');
    addText(source.text, place, out);
  } else if (source.value !== undefined) {
    out.token(place, source.system ?? '', source.value);
    addText(source.type?.text, place, out);
  } else {
    // A Coding, or an Identifier that says of what kind it is and has no value.
    addCoding(source, place, out);
    addText(source.type?.text, place, out);
  }
}

function addCoding(coding: TokenSource, place: Place, out: RowCollector): void {
  out.token(place, coding.system ?? '', coding.code ?? '');
  addText(coding.display, place, out);
}

function addText(text: string | undefined, place: Place, out: RowCollector): void {
  if (text) out.string(place, fold(text), text);
}

/** Rows for `:of-type`: system and code of each of the identifier's types, the code followed by `|` and the value. */
export function extractIdentifierType(value: unknown, place: Place, out: RowCollector): void {
  if (typeof value !== 'object' || value === null) return;
  const identifier = value as TokenSource;
  if (typeof identifier.value !== 'string') return;
  for (const coding of identifier.type?.coding ?? []) {
    if (coding.code) out.token(place, coding.system ?? '', `${coding.code}|${identifier.value}`);
  }
}
