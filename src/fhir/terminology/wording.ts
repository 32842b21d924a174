// How a member of a value set is worded: its display in a language, and its designations, those of supplements included.
// https://hl7.org/fhir/R4/codesystem.html#designations
import type { CodeSystemConceptDesignation } from '@medplum/fhirtypes';
import type { Library } from './library.ts';
import type { Member } from './selection.ts';

export type Designation = CodeSystemConceptDesignation;

/** Designations, the value set's own first. */
export function designationsOf(library: Library, { system, code, listed, concept }: Member): Designation[] {
  const supplemented = library.supplements(system).flatMap((supplement) => supplement.find(code) ?? []);
  return [
    ...((listed?.designation ?? []) as Designation[]),
    ...(concept?.given.designation ?? []),
    ...supplemented.flatMap(({ given }) => given.designation ?? []),
  ];
}

/**
 * The display in a language when there is one, else the display.
 * @param language BCP 47, e.g. `de`; `de` finds `de-CH` and the other way round
 */
export function displayOf(library: Library, member: Member, language?: string): string | undefined {
  const display = member.listed?.display ?? member.concept?.given.display ?? supplementDisplay(library, member);
  if (language === undefined || isLanguage(member.of?.resource.language, language)) return display;
  const designations = designationsOf(library, member);
  const exact = designations.find((one) => one.language?.toLowerCase() === language.toLowerCase());
  return (exact ?? designations.find((one) => isLanguage(one.language, language)))?.value ?? display;
}

/** Every text that is a right display of the member. */
export function displaysOf(library: Library, member: Member): string[] {
  const { listed, concept } = member;
  const texts = [
    listed?.display,
    concept?.given.display,
    supplementDisplay(library, member),
    ...designationsOf(library, member).map(({ value }) => value),
  ];
  return texts.filter((text) => text !== undefined);
}

export function isLanguage(language: string | undefined, wanted: string): boolean {
  if (language === undefined) return false;
  const [a, b] = [language.toLowerCase(), wanted.toLowerCase()];
  return a === b || a.startsWith(`${b}-`) || b.startsWith(`${a}-`);
}

function supplementDisplay(library: Library, { system, code }: Member): string | undefined {
  for (const supplement of library.supplements(system)) {
    const display = supplement.find(code)?.given.display;
    if (display !== undefined) return display;
  }
  return undefined;
}
