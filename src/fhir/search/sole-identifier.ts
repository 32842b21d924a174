// Criteria that ask for one business identifier and nothing else, as most conditional interactions do: they are looked up
// without being parsed and planned as a search.
import { splitUnescaped, unescaped } from './parse-values.ts';

/** @returns undefined for all other criteria, and for what has to be refused */
export function soleIdentifier(query: string): { readonly system: string; readonly value: string } | undefined {
  const text = decoded(/^identifier=([^&]+)$/.exec(query)?.[1] ?? '');
  if (splitUnescaped(text, ',').length > 1) return undefined;
  const [system = '', value = '', ...more] = splitUnescaped(text, '|').map(unescaped);
  return system === '' || value === '' || more.length > 0 ? undefined : { system, value };
}

/** As form data; '' when it is not quite that. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}
