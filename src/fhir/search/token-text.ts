// An identifier as the value of a token search. https://hl7.org/fhir/R4/search.html#escaping

/** `system|value`, with a backslash before the characters that mean something in a search value. */
export function tokenText(system: string, value: string): string {
  return [system, value].map((part) => part.replace(/[\\$,|]/g, '\\$&')).join('|');
}
