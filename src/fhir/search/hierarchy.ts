// Which types form hierarchies: those that can be a part of another of their own, as locations and encounters are.
// https://hl7.org/fhir/R4/search.html#recursive
import type { SearchParameters } from './parameters.ts';
import type { ParameterKey } from './query.ts';

const PART_OF = ['partof', 'part-of'];

/** The parameter by which a resource of the type names the one that it is a part of; undefined when there is none. */
export function partOfParameter(parameters: SearchParameters, type: string): ParameterKey | undefined {
  for (const code of PART_OF) {
    const definition = parameters.get(type, code);
    if (definition?.kind === 'reference' && definition.targets.includes(type)) return { type: definition.type, code };
  }
  return undefined;
}
