// Canonicals refer to a resource by its URL, and so by the `url` that its type is indexed by. A version after `|` chooses
// nothing: search finds every resource with the URL. https://hl7.org/fhir/R4/references.html#canonical
import type { ParameterDefinition, SearchParameters } from './parameters.ts';
import type { ParameterKey } from './query.ts';
import { typesAt } from './settle-path.ts';

/** Where the canonical URLs of a type are indexed; undefined when it has none, or the parameter holds no canonicals. */
export function canonicalUrlOf(
  parameters: SearchParameters,
  reference: ParameterDefinition,
  type: string,
): ParameterKey | undefined {
  return holdsCanonicals(reference) ? urlOfType(parameters, type) : undefined;
}

/** Where the canonical URLs of a type are indexed; undefined when it has none, as a Subscription, whose `url` is another. */
export function urlOfType(parameters: SearchParameters, type: string): ParameterKey | undefined {
  return parameters.get(type, 'url')?.branches.includes(`${type}.url`) ? { type, code: 'url' } : undefined;
}

const known = new WeakMap<ParameterDefinition, boolean>();

function holdsCanonicals(definition: ParameterDefinition): boolean {
  const holds =
    known.get(definition) ??
    definition.branches.some((branch) => {
      const types = typesAt(branch, definition.type);
      return types === undefined || types.includes('canonical') || types.includes('uri');
    });
  known.set(definition, holds);
  return holds;
}
