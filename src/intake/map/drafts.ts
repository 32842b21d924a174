// What one message says, as resources that are not yet anybody's: each knows the identifier it is recognised by and how
// it joins what is stored. References between them are `urn:uuid:` until they are matched with the store.
import { randomUUID } from 'node:crypto';
import type { Reference, Resource } from '@medplum/fhirtypes';
import type { Identified } from './identifier.ts';

export interface Draft {
  readonly fullUrl: string;
  readonly resource: Resource;
  readonly match: Pick<Identified, 'system' | 'value'>;
  /** Identifiers it had before, by which it is recognised when nothing stored has the one of `match`. */
  readonly formerly: readonly Draft['match'][];
  /** For what is shared between patients: a stored one is left as it is. */
  readonly isShared: boolean;
  /** What to store when there is such a resource already; returns `stored` itself to leave it alone. */
  merge(stored: Resource, fresh: Resource): Resource;
}

export interface Drafts {
  readonly all: readonly Draft[];
  /** The reference a draft will have, for those that point at each other. */
  refer<R extends Resource>(type: R['resourceType'], match: Draft['match']): Reference<R>;
  /**
   * Adds a draft and returns the reference to it. The same type and identifier again replaces the earlier draft's
   * resource (DG1 of one code as admitting and as final diagnosis), so nothing is written twice.
   */
  add<R extends Resource>(
    resource: R,
    match: Draft['match'],
    merge: (stored: R, fresh: R) => R,
    formerly?: Draft['formerly'],
  ): Reference<R>;
  /** For what is shared between patients (clinicians, places, payers): created when absent, never changed. */
  share<R extends Resource>(resource: R, match: Draft['match']): Reference<R>;
}

export function createDrafts(): Drafts {
  const fullUrls = new Map<string, string>();
  const drafts = new Map<string, Draft>();
  const place = (type: string, { system, value }: Draft['match']) => {
    const key = JSON.stringify([type, system, value]);
    const fullUrl = fullUrls.get(key) ?? `urn:uuid:${randomUUID()}`;
    fullUrls.set(key, fullUrl);
    return fullUrl;
  };
  const add: Drafts['add'] = (resource, match, merge, formerly = []) => {
    const fullUrl = place(resource.resourceType, match);
    drafts.set(fullUrl, { fullUrl, resource, match, merge: merge as Draft['merge'], formerly, isShared: false });
    return { reference: fullUrl };
  };
  return {
    get all() {
      return [...drafts.values()];
    },
    refer: (type, match) => ({ reference: place(type, match) }),
    add,
    share(resource, match) {
      const fullUrl = place(resource.resourceType, match);
      if (!drafts.has(fullUrl)) {
        drafts.set(fullUrl, { fullUrl, resource, match, merge: (stored) => stored, formerly: [], isShared: true });
      }
      return { reference: fullUrl };
    },
  };
}
