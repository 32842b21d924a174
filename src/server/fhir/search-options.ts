// What a request's search parameters are read with.
import type { ParseOptions } from '../../fhir/search/parse.ts';
import type { FhirContext } from './context.ts';

export function searchOptions(
  { base, clock, tokenSets }: Pick<FhirContext, 'base' | 'clock' | 'tokenSets'>,
  handling: ParseOptions['handling'],
): ParseOptions {
  return { handling, baseUrl: base(), clock, tokenSets };
}
