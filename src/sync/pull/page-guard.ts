// Stops a run through pages that never end: the same link again, the same content again under ever new links, page after
// page without anything, or simply too many. docs/sync-spec.md#I6
import type { Bundle } from '@medplum/fhirtypes';
import { hashJson } from '../../fhir/canonical-json.ts';
import type { RemoteFailure } from '../../remote/result.ts';

const MOST_PAGES = 10_000;
/** Servers do send a last page without entries; not one after the other. */
const MOST_EMPTY = 20;

export class PageGuard {
  readonly #links = new Set<string>();
  readonly #contents = new Set<string>();
  #pages = 0;
  #empty = 0;
  readonly #most: number;
  /** The page that the run stopped at leads nowhere: the next run begins the window anew. */
  startsOver = true;

  constructor(most = MOST_PAGES) {
    this.#most = most;
  }

  /** Why the run must end before `next` is asked for; undefined when it may go on. */
  check(page: Bundle, next: string | undefined): RemoteFailure | undefined {
    this.#pages += 1;
    const content = contentOf(page);
    const isRepeated = content !== undefined && this.#contents.has(content);
    if (content !== undefined) this.#contents.add(content);
    this.#empty = content === undefined ? this.#empty + 1 : 0;
    if (next === undefined) return undefined;
    if (this.#links.has(next) || isRepeated) return refuse('The pages of the server go round in circles.');
    this.#links.add(next);
    if (this.#empty >= MOST_EMPTY) return refuse(`The server sent ${MOST_EMPTY} pages in a row without entries.`);
    this.startsOver = this.#pages < this.#most;
    if (!this.startsOver) return refuse(`The server sent more than ${this.#most} pages in one run.`);
    return undefined;
  }

  /** For a window that begins anew. */
  reset(): void {
    this.#links.clear();
    this.#contents.clear();
    this.#empty = 0;
  }
}

/** The link to the page after this one. */
export function nextLink({ link }: Bundle): string | undefined {
  const url: unknown = link?.find(({ relation }) => relation === 'next')?.url;
  return typeof url === 'string' ? url : undefined;
}

function refuse(message: string): RemoteFailure {
  return { class: 'permanent', message };
}

/** Which versions of what a page has; undefined when it has nothing. */
function contentOf({ entry }: Bundle): string | undefined {
  const ids = (entry ?? []).map(
    ({ resource }) => `${resource?.resourceType}/${resource?.id}/${resource?.meta?.versionId}`,
  );
  return ids.length === 0 ? undefined : hashJson(ids);
}
