// What searches ask of terminology: the codes of a value set, and those below and above a code. Asked while a query is
// parsed, so that the index is asked for plain codes only.
// https://hl7.org/fhir/R4/search.html#modifiers

export interface TokenSetMember {
  readonly system: string;
  readonly code: string;
}

/** Every answer is undefined when the codes are not installed here or cannot be listed. */
export interface TokenSets {
  /** @param url canonical, perhaps with `|version` */
  inValueSet(url: string): readonly TokenSetMember[] | undefined;
  /** The code and everything that it subsumes; without a system in any system that has the code. */
  below(system: string | undefined, code: string): readonly TokenSetMember[] | undefined;
  /** The code and everything that subsumes it. */
  above(system: string | undefined, code: string): readonly TokenSetMember[] | undefined;
}
