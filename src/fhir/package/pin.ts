// With two versions of a guide installed, what a profile of the older one refers to without a version is the older one's
// too, not the newest there is. https://hl7.org/fhir/packages.html
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import type { Artefact, Artefacts } from '../artefacts.ts';

/** The definition with `|version` added to every reference that would otherwise lead out of its own guide. */
export function pinned(
  definition: StructureDefinition,
  { guide }: Artefact,
  artefacts: Artefacts,
): StructureDefinition {
  if (guide === '') return definition;
  const pin = (type: string) => (canonical: string) => {
    if (canonical.includes('|')) return canonical;
    const newest = artefacts.find(type, canonical);
    if (!newest || newest.guide === guide) return canonical;
    const own = artefacts.versions(type, canonical).find((one) => one.guide === guide);
    return own ? `${canonical}|${own.version}` : canonical;
  };
  const profile = pin('StructureDefinition');
  const valueSet = pin('ValueSet');
  const pinElement = (element: ElementDefinition): ElementDefinition => ({
    ...element,
    ...(element.type && {
      type: element.type.map((type) => ({
        ...type,
        ...(type.profile && { profile: type.profile.map(profile) }),
        ...(type.targetProfile && { targetProfile: type.targetProfile.map(profile) }),
      })),
    }),
    ...(element.binding?.valueSet && {
      binding: { ...element.binding, valueSet: valueSet(element.binding.valueSet) },
    }),
  });
  const { baseDefinition, snapshot, differential } = definition;
  return {
    ...definition,
    ...(baseDefinition && { baseDefinition: profile(baseDefinition) }),
    ...(snapshot && { snapshot: { ...snapshot, element: snapshot.element.map(pinElement) } }),
    ...(differential && { differential: { ...differential, element: differential.element.map(pinElement) } }),
  };
}
