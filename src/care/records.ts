// What commands and views of case management work with: the resources their caller may see, and who the caller is. The
// server supplies both, so that nothing in this folder can read past a scope, a role or a consent.
import type { Reference, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Change } from '../fhir/change.ts';

export type ResourceOf<K extends ResourceType> = Extract<Resource, { resourceType: K }>;

/** As stored: with its id and the version that a change is made on. */
export type Kept<K extends ResourceType> = ResourceOf<K> & {
  readonly id: string;
  readonly meta: { readonly versionId: string; readonly lastUpdated: string };
};

/** Parameters of a FHIR search; an array repeats a parameter, which means AND. */
export type SearchFor = Readonly<Record<string, string | readonly string[]>>;

export interface Records {
  /** Undefined when there is none, it is deleted, or the caller may not see it: the three look alike. */
  read<K extends ResourceType>(type: K, id: string): Promise<Kept<K> | undefined>;
  /**
   * All that match and may be seen, in the order of `_sort`, else oldest first.
   * @throws Fault too-large when more than 5,000 match; forbidden when the caller may see none of the type
   */
  find<K extends ResourceType>(type: K, search: SearchFor): Promise<Kept<K>[]>;
}

/** Also what lists need: pages, past versions, and numbers without what they count. */
export interface PagedRecords extends Records {
  /** One version as it was; undefined when there is none, it was a deletion, or the caller may not see it. */
  version<K extends ResourceType>(type: K, id: string, versionId: string): Promise<Kept<K> | undefined>;
  /** @param most matches on the page, at most 1,000; @param after `next` of the page before */
  page<K extends ResourceType>(
    type: K,
    search: SearchFor,
    at: { readonly most: number; readonly after?: string | undefined },
  ): Promise<{ readonly items: Kept<K>[]; readonly next?: string }>;
  /** How many match and may be seen. */
  count(type: ResourceType, search: SearchFor): Promise<number>;
}

/** Who asks, and when and where that is. */
export interface Caller {
  /** The person, or the device or application when no person is there: what goes into author, requester, performer. */
  readonly who: Reference;
  readonly now: Temporal.Instant;
  /** IANA time zone in which the caller's days begin and end. */
  readonly zone: string;
}

/** What a command is going to do, in one commit: all of it or nothing. */
export interface Planned {
  /** Updates carry `ifMatch` with the version that was read. */
  readonly changes: readonly Change[];
  /** Index in `changes` of what the command is about; its outcome is shown to the caller. */
  readonly about: number;
  /**
   * `Type?parameters`: nothing that matches may have been written since the plan was begun; else it is planned anew. For
   * what is made because there was none.
   */
  readonly unlessNewer?: string;
  /** The changes are what others have done elsewhere: a status may have taken several steps, each set by whose it was. */
  readonly passesOn?: boolean;
  /** The caller gives the record out of hand: what is written need not be within their reach any more. */
  readonly releases?: boolean;
}
