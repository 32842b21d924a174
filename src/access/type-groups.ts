// Names for groups of resource types in the rules of roles: `$directory` and `$definitions` from a file, and `$compartment`
// for what is about a patient. The audit trail and groups of patients are about a patient too, but say more than that, and
// consents bind those who could change them: rules must name these.
import { readFileSync } from 'node:fs';

export type TypeGroups = ReadonlyMap<string, readonly string[]>;

/** What R4 says of its types. */
export interface FhirTypes {
  readonly types: readonly string[];
  readonly patientCompartment: (type: string) => readonly string[] | undefined;
}

const TO_BE_NAMED = ['AuditEvent', 'Consent', 'Group'];

/** @throws Error when a group names what is no type of R4 */
export function loadTypeGroups(path: string, fhir: FhirTypes): TypeGroups {
  const named = new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, string[]>));
  for (const [name, types] of named) {
    const unknown = types.find((type) => !fhir.types.includes(type));
    if (unknown !== undefined) throw new Error(`${path}: ${unknown} in ${name} is no resource type of FHIR R4.`);
  }
  const isAbout = (type: string) => type === 'Patient' || fhir.patientCompartment(type) !== undefined;
  return named.set(
    '$compartment',
    fhir.types.filter((type) => isAbout(type) && !TO_BE_NAMED.includes(type)),
  );
}
