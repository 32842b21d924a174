// Search parameters that are answered in their own way instead of from the values that a FHIRPath finds.
// https://hl7.org/fhir/R4/search.html
import type { SearchParameterType } from './query.ts';

export interface SpecialParameter {
  readonly code: string;
  readonly kind: SearchParameterType;
  /** Canonical URL of its definition. */
  readonly url: string;
  /** The one type that has it; absent when all do. */
  readonly type?: string;
}

const SPECIAL: readonly SpecialParameter[] = [
  { code: '_text', kind: 'string', url: 'http://hl7.org/fhir/SearchParameter/DomainResource-text' },
  { code: '_content', kind: 'string', url: 'http://hl7.org/fhir/SearchParameter/Resource-content' },
  { code: '_list', kind: 'special', url: 'http://hl7.org/fhir/SearchParameter/Resource-list' },
  { code: '_filter', kind: 'special', url: 'http://hl7.org/fhir/SearchParameter/filter' },
  { code: 'near', kind: 'special', url: 'http://hl7.org/fhir/SearchParameter/Location-near', type: 'Location' },
];

/** The special parameters of a type; of a search over all types when absent. */
export function specialParameters(type: string | undefined): readonly SpecialParameter[] {
  return SPECIAL.filter((parameter) => parameter.type === undefined || parameter.type === type);
}

export function isSpecial(type: string | undefined, code: string): boolean {
  return specialParameters(type).some((parameter) => parameter.code === code);
}
