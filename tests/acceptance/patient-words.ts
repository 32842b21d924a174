// The words by which a patient could be known, and where they stand in a text.
import type { Address, ContactPoint, HumanName, Identifier, Resource } from '@medplum/fhirtypes';

interface Known {
  readonly name?: HumanName[];
  readonly identifier?: Identifier[];
  readonly telecom?: ContactPoint[];
  readonly address?: Address[];
  readonly birthDate?: string;
}

/**
 * Names, identifiers, telephone numbers, address lines and birth dates of the patients and related persons among them. What
 * Baton calls a resource by is no identifier of a person, also when an external server keeps it as one.
 */
export function patientWords(resources: readonly Resource[]): Set<string> {
  const ids = new Set(resources.map(({ id }) => id));
  const words = resources.flatMap((resource) => {
    if (resource.resourceType !== 'Patient' && resource.resourceType !== 'RelatedPerson') return [];
    const { name = [], identifier = [], telecom = [], address = [], birthDate = '' } = resource as Known;
    return [
      ...name.flatMap(({ family = '', given = [], text = '' }) => [family, ...given, text]),
      ...identifier.map(({ value = '' }) => value),
      ...telecom.flatMap(({ value = '' }) => [value, value.replace(/\D/g, '').slice(-7)]),
      ...address.flatMap(({ line = [] }) => line),
      birthDate,
      birthDate.replaceAll('-', ''),
    ];
  });
  // Initials and house numbers alone stand for nobody and are in every log.
  return new Set(words.filter((word) => word.length >= 3 && !ids.has(word)));
}

/** The words that are in the text, each with the line it was found in. Whole words, whatever the case. */
export function found(words: Iterable<string>, text: string): string[] {
  const lines = text.split('\n');
  return [...words].flatMap((word) => {
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${RegExp.escape(word)}(?![\\p{L}\\p{N}])`, 'iu');
    const line = lines.find((candidate) => pattern.test(candidate));
    return line === undefined ? [] : [`${word}: ${line}`];
  });
}
