// The profiles that a resource made by case management claims and satisfies: Baton's own, and those it builds on.

const BATON = 'https://baton.health/fhir/StructureDefinition/';
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/';

/** `meta` of a new resource. @param usCore the ids of the US Core profiles that it satisfies as well */
export function claims(baton: string, ...usCore: readonly string[]): { profile: string[] } {
  return { profile: [BATON + baton, ...usCore.map((id) => US_CORE + id)] };
}
