// The profiles and extensions that the R4 specification itself publishes (vital signs, patient-birthTime…). Read when one
// is first asked for: most processes never do. https://hl7.org/fhir/R4/extensibility-registry.html
import { type Structure, toStructure } from './base-structures.ts';
import { readDefinitions } from './read-definitions.ts';

const PREFIX = 'http://hl7.org/fhir/StructureDefinition/';

let known: ReadonlyMap<string, Structure> | undefined;

/** @param url canonical without version; undefined when R4 has no such profile */
export function coreProfile(url: string): Structure | undefined {
  if (!url.startsWith(PREFIX)) return undefined;
  known ??= new Map(
    ['fhir/r4/profiles-others.json', 'fhir/r4/extension-definitions.json']
      .flatMap(readProfiles)
      .map((one) => [one.url, one]),
  );
  return known.get(url);
}

function readProfiles(file: string): Structure[] {
  const shared = new Map<string, unknown>();
  return [...readDefinitions(file)].flatMap((resource) =>
    resource.resourceType === 'StructureDefinition' ? (toStructure(resource, shared) ?? []) : [],
  );
}
