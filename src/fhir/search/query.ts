// A search request as a typed tree: what the URL said, checked against the search parameters, before any SQL.
// https://hl7.org/fhir/R4/search.html

export type SearchParameterType =
  | 'token'
  | 'reference'
  | 'date'
  | 'string'
  | 'number'
  | 'quantity'
  | 'uri'
  | 'composite'
  | 'special';

export interface SearchQuery {
  /** Absent for a search over all types. */
  readonly type?: string;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly includes: readonly Include[];
  readonly sort: readonly SortKey[];
  /** Matches per page; 0 asks for the total only. */
  readonly count: number;
  readonly total: 'none' | 'accurate';
  /** Opaque keyset position from the `next` of an earlier page. */
  readonly cursor?: string;
  /** The parameters that were applied, for the self link, in the order given. */
  readonly applied: readonly (readonly [name: string, value: string])[];
  /** Parameters that were not understood and were ignored (handling=lenient only). */
  readonly ignored: readonly string[];
}

// Condition, Include and SortKey are refined by the search code's owner.
export type Condition = unknown;
export type Include = unknown;
export type SortKey = unknown;
