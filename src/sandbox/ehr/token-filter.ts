// Token search values that contain `|`, which Medplum's matcher cuts short.
// https://hl7.org/fhir/R4/search.html#token and #escaping
import { evalFhirPath, type Filter, getSearchParameter, Operator } from '@medplum/core';
import type { Resource } from '@medplum/fhirtypes';

interface Token {
  /** undefined: any system; empty: none. */
  readonly system: string | undefined;
  readonly value: string;
}

/** Separates the filters whose value has a bar inside (`system|a|b`, `system|a\|b`) from the ones the engine can do. */
export function splitTokenFilters(filters: readonly Filter[]): { plain: Filter[]; barred: Filter[] } {
  const isBarred = (filter: Filter) => filter.code === 'identifier' && /\|.*\||\\\|/.test(filter.value);
  return {
    plain: filters.filter((filter) => !isBarred(filter)),
    barred: filters.filter(isBarred),
  };
}

/** True when one of the resource's identifiers is one of the filter's comma-separated values. */
export function matchesToken(resource: Resource, filter: Filter): boolean {
  const parameter = getSearchParameter(resource.resourceType, filter.code);
  if (!parameter?.expression) return false;
  const found = evalFhirPath(parameter.expression, resource) as { system?: string; value?: string }[];
  const wanted = filter.value.split(/(?<!\\),/).map(parseToken);
  const hit = found.some((token) =>
    wanted.some(
      ({ system, value }) => token.value === value && (system === undefined || (token.system ?? '') === system),
    ),
  );
  return filter.operator === Operator.NOT || filter.operator === Operator.NOT_EQUALS ? !hit : hit;
}

/** The first bar that is not escaped separates; those after it belong to the value. */
function parseToken(text: string): Token {
  const bar = text.search(/(?<!\\)\|/);
  const plainText = (part: string) => part.replace(/\\([\\|,$])/g, '$1');
  if (bar < 0) return { system: undefined, value: plainText(text) };
  return { system: plainText(text.slice(0, bar)), value: plainText(text.slice(bar + 1)) };
}
