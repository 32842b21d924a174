// The sets of patients that the rules of roles name, as conditions on Patient.
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { type ParseOptions, parseSearchUrl } from '../fhir/search/parse.ts';
import type { Condition } from '../fhir/search/query.ts';
import type { PatientSet } from './narrowing.ts';

/** Patients of at least one of the sets; nobody when there is none. */
export function inPatientSets(
  parameters: SearchParameters,
  sets: readonly PatientSet[],
  options: ParseOptions,
): Condition {
  return { kind: 'any', of: sets.map((set) => inPatientSet(parameters, set, options)) };
}

function inPatientSet(parameters: SearchParameters, set: PatientSet, options: ParseOptions): Condition {
  const { type, conditions } = parseSearchUrl(parameters, set, options);
  const condition: Condition = { kind: 'all', of: conditions };
  if (type === undefined || type === 'Patient') return condition;
  return { kind: 'has', type, parameter: { type, code: 'patient' }, condition, named: [] };
}
