// A history brings every version, newest first, and repeats some when it moves between two pages. Only the newest of each
// resource counts. https://hl7.org/fhir/R4/http.html#history
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { isFhirId } from '../body.ts';

/** For one window of one type, page by page. */
export class LatestVersions {
  readonly #type: string;
  readonly #seen = new Set<string>();

  constructor(type: string) {
    this.#type = type;
  }

  /** The page without versions that a newer one was seen of, and the ids of what was deleted. */
  take(page: Bundle): { readonly current: Bundle; readonly gone: readonly string[] } {
    const newest = new Map<string, BundleEntry>();
    const entry: BundleEntry[] = [];
    for (const one of page.entry ?? []) {
      const id = this.#idOf(one);
      if (id === undefined) entry.push(one);
      else if (!this.#seen.has(id)) {
        const other = newest.get(id);
        if (!other || isNewer(one, other)) newest.set(id, one);
      }
    }
    const gone: string[] = [];
    for (const [id, one] of newest) {
      this.#seen.add(id);
      if (isDelete(one)) gone.push(id);
      else entry.push(one);
    }
    return { current: { ...page, entry }, gone };
  }

  #idOf({ resource, request, fullUrl }: BundleEntry): string | undefined {
    const id = resource?.resourceType === this.#type ? resource.id : undefined;
    const path = request?.url ?? fullUrl ?? '';
    const named = new RegExp(`(?:^|/)${this.#type}/([^/?]+)(?:/_history/[^/?]+)?$`).exec(path)?.[1];
    const found = id ?? (resource ? undefined : named);
    return isFhirId(found) ? found : undefined;
  }
}

function isDelete({ resource, request }: BundleEntry): boolean {
  return !resource && request?.method === 'DELETE';
}

/** Servers keep to the order; where the times say otherwise, the times are right. */
function isNewer(one: BundleEntry, other: BundleEntry): boolean {
  const [left, right] = [timeOf(one), timeOf(other)];
  return left !== undefined && right !== undefined && Temporal.Instant.compare(left, right) > 0;
}

function timeOf({ resource, response }: BundleEntry): Temporal.Instant | undefined {
  const text = resource?.meta?.lastUpdated ?? response?.lastModified;
  try {
    return text === undefined ? undefined : Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}
