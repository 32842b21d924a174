// Whether matches are in the order asked for. What has no value is last, ascending and descending.
// https://hl7.org/fhir/R4/search.html#sort
import type { Resource } from '@medplum/fhirtypes';
import { compare, type Decimal, plus } from './decimals.ts';
import type { Found } from './found-values.ts';
import { spansOf } from './match-value.ts';
import type { Population } from './population.ts';
import { quantityOf } from './quantities.ts';
import type { Query, SortKey } from './query.ts';
import { targetOf } from './references.ts';
import { codingsOf, folded, textsOf } from './texts.ts';

/** What is compared: text by code points, time by milliseconds, amounts exactly. */
type Sortable = string | number | Decimal;

/** The first two neighbours that are the wrong way round. */
export function disorder(population: Population, query: Query, found: readonly Resource[]): Resource[] | undefined {
  for (let i = 1; i < found.length; i++) {
    const [before, after] = [found[i - 1], found[i]];
    if (!before || !after) continue;
    for (const key of query.sort) {
      const order = compareBy(population, key, before, after);
      if (order > 0) return [before, after];
      if (order < 0) break;
    }
  }
  return undefined;
}

function compareBy(population: Population, key: SortKey, a: Resource, b: Resource): number {
  const [left, right] = [a, b].map((resource) => sortValue(population, key, resource));
  if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
  return key.descending ? compareValues(right, left) : compareValues(left, right);
}

/** Of several values the lowest, or the highest when descending. */
function sortValue(population: Population, { code, parameter, descending }: SortKey, resource: Resource) {
  if (code === '_id') return resource.id;
  if (!parameter) return population.updatedOf(resource);
  const values = population.values(resource, parameter).flatMap((found) => sortable(found, parameter.kind));
  return values.sort((a, b) => (descending ? compareValues(b, a) : compareValues(a, b)))[0];
}

function sortable(found: Found, kind: string): Sortable[] {
  switch (kind) {
    case 'token':
      return codingsOf(found).flatMap(({ code }) => code ?? []);
    case 'string':
      return textsOf(found).map((text) => folded(text).toLowerCase().replaceAll('\u03c2', '\u03c3'));
    case 'date': {
      const span = spansOf(found);
      return span ? [span.start ?? span.end ?? 0] : [];
    }
    case 'number':
    case 'quantity': {
      const limits = quantityOf(found)?.limits;
      return limits ? [limits.low ? leastOf(limits.low, limits.withoutLow) : Number.NEGATIVE_INFINITY] : [];
    }
    case 'reference': {
      if (typeof found.value === 'string') return withoutVersionToo(found.value);
      const { local, url } = targetOf((found.value as { reference?: string }).reference ?? '');
      return local ? [local.id] : url ? [url] : [];
    }
    default:
      return withoutVersionToo(String(found.value));
  }
}

/** More than 5 is sorted after 5 and before any other number. */
function leastOf(low: Decimal, isWithout: boolean): Decimal {
  return isWithout ? plus(low, { mantissa: 1n, exponent: low.exponent - 40 }) : low;
}

/** A canonical is found, and so sorted, with and without its version. */
function withoutVersionToo(url: string): string[] {
  return [url, url.replace(/\|.*$/, '')];
}

function compareValues(a: Sortable, b: Sortable): number {
  if (typeof a === 'object' && typeof b === 'object') return compare(a, b);
  if (typeof a === 'object') return 1;
  if (typeof b === 'object') return -1;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
