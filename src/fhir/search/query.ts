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
  /** Only resources in this patient's compartment. */
  readonly compartment?: { readonly type: 'Patient'; readonly id: string };
  readonly includes: readonly Include[];
  readonly sort: readonly SortKey[];
  /** Matches per page; 0 asks for the total only. */
  readonly count: number;
  /** `known`: only when it costs nothing, because one page holds every match. */
  readonly total: 'none' | 'known' | 'accurate';
  /** Opaque keyset position from the `next` of an earlier page. */
  readonly cursor?: string;
  /** The parameters that were applied, for the self link, in the order given. */
  readonly applied: readonly (readonly [name: string, value: string])[];
  /** Parameters that were not understood and were ignored (handling=lenient only). */
  readonly ignored: readonly string[];
}

/** Which index a value is looked up in. */
export type ValueKind = 'token' | 'reference' | 'date' | 'string' | 'number' | 'quantity' | 'uri';

/** A parameter of one resource type, or of `Resource` for those that all types share (`_tag`). */
export interface ParameterKey {
  readonly type: string;
  readonly code: string;
}

/** One thing that must hold of a resource. */
export type Condition =
  | MatchCondition
  | CompositeCondition
  /** The parameter has no value at all, or has one. */
  | {
      readonly kind: 'missing';
      readonly parameter: ParameterKey;
      readonly values: ValueKind;
      readonly missing: boolean;
    }
  /** The resource's own id is, or is not, one of these. */
  | { readonly kind: 'id'; readonly ids: readonly string[]; readonly negated: boolean }
  | { readonly kind: 'type'; readonly types: readonly string[] }
  /** meta.lastUpdated, whose value is in the resource's row. */
  | { readonly kind: 'updated'; readonly anyOf: readonly DateMatch[] }
  /** A referenced resource of one of the types fulfils its condition. */
  | { readonly kind: 'chain'; readonly parameter: ParameterKey; readonly targets: readonly ChainTarget[] }
  /** A resource of `type` refers to this one through `parameter` and fulfils the condition. */
  | HasCondition
  /** In the compartment of the patient `id`: refers to it through one of the parameters or (`self`) is the patient. */
  | {
      readonly kind: 'compartment';
      readonly id: string;
      readonly parameters: readonly ParameterKey[];
      readonly self: boolean;
    }
  /** In the compartment of a patient who fulfils the condition. */
  | MembersCondition
  /** The words, folded, one after the other in the narrative or anywhere in the content. */
  | { readonly kind: 'words'; readonly within: 'narrative' | 'content'; readonly words: readonly string[] }
  | NearCondition
  | HierarchyCondition
  | WithheldCondition
  /** At least one of these holds. */
  | { readonly kind: 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition };

export interface MembersCondition {
  readonly kind: 'members';
  /** Asked of Patient. */
  readonly patients: Condition;
  readonly parameters: readonly ParameterKey[];
  readonly self: boolean;
}

/** A position no farther from the point than the chord, both on a sphere of radius 1. */
export interface NearCondition {
  readonly kind: 'near';
  /** Where x, y and z of positions are indexed as numbers. */
  readonly axes: readonly ParameterKey[];
  readonly point: readonly number[];
  readonly chord: number;
}

/**
 * Refers, through the parameter, to the resource or to one below (or above) it, where `partOf` is the parameter by which
 * resources of that type name the one that they are a part of.
 */
export interface HierarchyCondition {
  readonly kind: 'hierarchy';
  readonly parameter: ParameterKey;
  readonly direction: 'above' | 'below';
  readonly type: string;
  readonly id: string;
  readonly partOf: ParameterKey;
}

/**
 * Kept from somebody by a consent of a patient that the resource is about, or by a security label that needs a permit.
 * Made by `withheldCondition`; clients cannot ask for it.
 */
export interface WithheldCondition {
  readonly kind: 'withheld';
  /** Who asks, as consents name actors; empty when nobody knows. */
  readonly actors: readonly string[];
  /** Each purpose with the wider ones that it belongs to. Empty when nobody knows. */
  readonly purposes: readonly (readonly string[])[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** By which parameters resources are about a patient, and whether a Patient counts by itself. */
  readonly parameters: readonly ParameterKey[];
  readonly self: boolean;
  /** Where security labels are indexed. */
  readonly security: ParameterKey;
  /** Labels that keep a resource from this asker unless a consent permits it by name. */
  readonly needPermit: readonly { readonly system: string; readonly code: string }[];
}

export interface ChainTarget {
  readonly type: string;
  readonly condition: Condition;
  /** Where the canonical URLs of the type are indexed, when the reference may be a canonical. */
  readonly named?: ParameterKey;
}

export interface HasCondition {
  readonly kind: 'has';
  readonly type: string;
  readonly parameter: ParameterKey;
  readonly condition: Condition;
  /** Where the canonical URLs of the resources looked for are indexed; none when the reference is no canonical. */
  readonly named: readonly ParameterKey[];
}

/** Some value of the parameter equals one of the given ones; `negated`: no value does. */
export interface MatchCondition {
  readonly kind: 'match';
  readonly parameter: ParameterKey;
  readonly anyOf: readonly ValueMatch[];
  readonly negated: boolean;
}

/** Within one repetition, every component matches. */
export interface CompositeCondition {
  readonly kind: 'composite';
  /** Component parameters in the order of the SearchParameter. */
  readonly components: readonly ParameterKey[];
  readonly anyOf: readonly (readonly ValueMatch[])[];
}

export type ValueMatch = TokenMatch | ReferenceMatch | DateMatch | StringMatch | NumberMatch | QuantityMatch | UriMatch;

export interface TokenMatch {
  readonly kind: 'token';
  /** Absent: any system; '': no system. */
  readonly system?: string;
  /** Absent: any code of the system. */
  readonly code?: string;
}

export interface ReferenceMatch {
  readonly kind: 'reference';
  /** Target types for an id of this server; [''] for a URL elsewhere. */
  readonly types: readonly string[];
  /** The id, or the URL. */
  readonly id: string;
  /** `below`: a canonical URL with the beginning of a version, which every longer version fulfils. */
  readonly mode?: 'below';
}

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** Half-open [low, high) in milliseconds since the epoch; already widened for `ap`. */
export interface DateMatch {
  readonly kind: 'date';
  /** `co`: the value's range holds all of this one (`_filter` only). */
  readonly prefix: Prefix | 'co';
  readonly low: number;
  readonly high: number;
}

export interface StringMatch {
  readonly kind: 'string';
  /** `equals`, `ends` and the comparisons are `_filter`'s. */
  readonly mode: 'starts' | 'exact' | 'contains' | 'equals' | 'ends' | 'gt' | 'lt' | 'ge' | 'le';
  /** Folded, except for `exact`. */
  readonly value: string;
}

/** `eq`/`ne`/`ap` use [low, high); the other prefixes the value as written. */
export interface NumberMatch {
  readonly kind: 'number';
  readonly prefix: Prefix;
  readonly low: number;
  readonly high: number;
  readonly value: number;
}

export interface QuantityMatch {
  readonly kind: 'quantity';
  readonly prefix: Prefix;
  readonly low: number;
  readonly high: number;
  readonly value: number;
  readonly system?: string;
  /** Code when `system` is given, else code or unit. */
  readonly code?: string;
}

export interface UriMatch {
  readonly kind: 'uri';
  readonly mode: 'exact' | 'above' | 'below';
  readonly value: string;
}

export interface Include {
  readonly direction: 'include' | 'revinclude';
  readonly iterate: boolean;
  /** Type that holds the reference; absent for `*`. */
  readonly source?: string;
  /** Absent for `*`: every reference parameter of the source. */
  readonly code?: string;
  /** Only targets of this type. */
  readonly target?: string;
  /** Of what it brings only resources of these types; clients cannot ask for that. */
  readonly amongTypes?: readonly string[];
  /** Of what it brings only resources that fulfil this; clients cannot ask for that. */
  readonly within?: Condition;
}

/** Resources without a value come last, ascending and descending. */
export interface SortKey {
  readonly parameter: ParameterKey;
  readonly values: ValueKind | 'id' | 'updated';
  readonly descending: boolean;
}
