// What two records must have in common before either is looked at as the other: told of many at once, without a search.
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import { tokenOf } from './match.ts';
import { datesOf, wordOf } from './patient-candidates.ts';

/**
 * The numbers of a record; of a patient also the months of the birth date (day and month may be turned) and initials. A search
 * for one of two records that have no mark in common never finds the other.
 */
export function matchMarks(record: JsonObject): string[] {
  const identifiers = Array.isArray(record.identifier) ? record.identifier : [];
  const numbers = identifiers.flatMap((identifier) => tokenOf(identifier) ?? []);
  if (record.resourceType !== 'Patient') return numbers;
  const months = datesOf(record).map((date) => date.slice(0, 'YYYY-MM'.length));
  return [...numbers, ...months, ...initialsOf(record)];
}

/** Of each family name with each given name, because a search takes them of whichever name it finds them in. */
function initialsOf({ name }: JsonObject): Set<string> {
  const names = (Array.isArray(name) ? name : []).filter(isJsonObject);
  const families = names.map(({ family }) => wordOf(family).slice(0, 1));
  const given = names
    .flatMap((one) => (Array.isArray(one.given) ? one.given : []))
    .map((word) => wordOf(word).slice(0, 1));
  return new Set(
    families.filter(Boolean).flatMap((family) => given.filter(Boolean).map((first) => `${family} ${first}`)),
  );
}
