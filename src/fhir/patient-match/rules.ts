// How alike two patient records must be, as data: a weight for each degree of agreement of each field, after Fellegi and
// Sunter (the logarithm of how much likelier the agreement is for one person than for two). profiles/matching

/** Fields that are compared; what a record does not have is never compared. */
export const MATCH_FIELDS = [
  'family',
  'given',
  'suffix',
  'birthDate',
  'birthOrder',
  'gender',
  'telecom',
  'address',
  'number',
] as const;
export type MatchField = (typeof MATCH_FIELDS)[number];

/**
 * Degrees of agreement. `swapped`: family and given name changed places. `nickname`, `initial`: of given names. `transposed`:
 * two digits or day and month changed places. `near`: one digit or one day off. `partial`: one date is less precise.
 * `postal`: only the postal code agrees.
 */
export const DEGREES = [
  'equal',
  'similar',
  'swapped',
  'nickname',
  'initial',
  'transposed',
  'near',
  'partial',
  'postal',
  'different',
] as const;
export type Degree = (typeof DEGREES)[number];

export interface MatchRules {
  /** From `match` on two records may be one without a person's word, from `possible` on a person is asked. */
  readonly thresholds: { readonly match: number; readonly possible: number };
  /** Fields that must be equal for a match, whatever the sum. */
  readonly mustBeEqual: readonly MatchField[];
  /** Fields that may be missing and must not differ for a match, whatever the sum. */
  readonly mustNotDiffer: readonly MatchField[];
  /** A degree without a weight counts nothing. */
  readonly weights: Readonly<Partial<Record<MatchField, Readonly<Partial<Record<Degree, number>>>>>>;
  /** Identifiers that never decide alone, because they are mistyped, lent or shared: by system, or by code of `type`. */
  readonly supporting: { readonly systems: readonly string[]; readonly types: readonly string[] };
  /** Short forms of given names, in groups; normalised as names are. */
  readonly nicknames: readonly (readonly string[])[];
}

/** What one field says. */
export interface FieldScore {
  readonly field: MatchField;
  readonly degree: Degree;
  readonly score: number;
}

export interface MatchScore {
  readonly total: number;
  readonly fields: readonly FieldScore[];
  readonly verdict: 'match' | 'possible' | 'no';
}
