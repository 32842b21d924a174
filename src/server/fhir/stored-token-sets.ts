// Searches with :in, :not-in, :above and :below over value sets and code systems that are stored: they are looked up before
// the query is parsed, which itself asks nobody. Other searches are not touched.
import type { Grant } from '../../access/grant.ts';
import type { Pairs } from '../../fhir/request-url.ts';
import { splitUnescaped, unescaped } from '../../fhir/search/parse-values.ts';
import { toCanonical } from '../../fhir/terminology/canonical.ts';
import { tokenSets } from '../../fhir/terminology/token-sets.ts';
import type { FhirContext } from './context.ts';
import { gatherTerminology, type Need } from './operations/stored-terminology.ts';

const IN_A_SET = /:(not-)?in$/;
const IN_A_HIERARCHY = /:(above|below)$/;

/** The context with the stored terminology that the search needs, within what the grant lets be read. */
export async function withStoredTokenSets(context: FhirContext, grant: Grant, pairs: Pairs): Promise<FhirContext> {
  const needs = pairs.flatMap(needsOf);
  if (needs.length === 0) return context;
  const source = await gatherTerminology({ context, grant }, [], needs);
  return { ...context, tokenSets: tokenSets(() => source) };
}

function needsOf([name, value]: Pairs[number]): Need[] {
  if (!name.includes(':')) return [];
  if (IN_A_SET.test(name)) {
    return splitUnescaped(value, ',').map((one) => ({ type: 'ValueSet', url: toCanonical(unescaped(one)).url }));
  }
  if (!IN_A_HIERARCHY.test(name)) return [];
  return splitUnescaped(value, ',').flatMap((one) => {
    const [system = '', code] = splitUnescaped(one, '|').map(unescaped);
    return code === undefined || system === '' ? [] : [{ type: 'CodeSystem', url: system } as const];
  });
}
