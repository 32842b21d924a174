// Conditional creates in a transaction, decided before the engine sees it: it takes at most eight of them, a limit meant
// for databases whose transactions run side by side. Here they run alone. https://hl7.org/fhir/R4/http.html#trules
import { multipleMatches, OperationOutcomeError, parseSearchRequest } from '@medplum/core';
import type { FhirRepository } from '@medplum/fhir-router';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';

/**
 * The same transaction without `ifNoneExist`: what exists is read instead of created, and what refers to it is pointed
 * there. Call it and the engine in one unit of work.
 * @throws OperationOutcomeError 412 when more than one resource matches
 */
export async function decideConditionalCreates(
  bundle: Bundle | undefined,
  repository: FhirRepository,
): Promise<Bundle | undefined> {
  if (bundle?.type !== 'transaction') return bundle;
  const found = new Map<string, string>();
  const entry: BundleEntry[] = [];
  for (const each of bundle.entry ?? []) {
    const { ifNoneExist, ...request } = each.request ?? { method: undefined, url: undefined };
    if (ifNoneExist === undefined || request.method !== 'POST') {
      entry.push(each);
      continue;
    }
    const search = { ...parseSearchRequest(`${request.url}?${ifNoneExist}`), count: 2 };
    const [match, another] = await repository.searchResources(search);
    if (another) throw new OperationOutcomeError(multipleMatches);
    if (!match) {
      entry.push({ ...each, request });
      continue;
    }
    const reference = `${match.resourceType}/${match.id}`;
    if (each.fullUrl) found.set(each.fullUrl, reference);
    entry.push({ request: { method: 'GET', url: reference } });
  }
  return pointTo({ ...bundle, entry }, found);
}

function pointTo(bundle: Bundle, found: ReadonlyMap<string, string>): Bundle {
  if (found.size === 0) return bundle;
  const text = JSON.stringify(
    bundle,
    (_key, value: unknown) => (typeof value === 'string' && found.get(value)) || value,
  );
  return JSON.parse(text) as Bundle;
}
