// A change to a resource as FHIR describes it, before anybody stores it.
import type { Resource } from '@medplum/fhirtypes';

/**
 * One change of a commit. A commit has the meaning of a FHIR transaction: all or nothing, `fullUrl`s and conditional
 * references (`Patient?identifier=…`) are rewritten to the ids they resolve to.
 * https://hl7.org/fhir/R4/http.html#transaction
 */
export type Change =
  | {
      readonly op: 'create';
      readonly resource: Resource;
      /** Chosen by Baton's own code when the id must be known before the commit; a UUID otherwise. */
      readonly id?: string;
      readonly fullUrl?: string;
      /** Search query string without `?`; one match makes the create a no-op that resolves to the match. */
      readonly ifNoneExist?: string;
    }
  | {
      readonly op: 'update';
      readonly resource: Resource;
      readonly fullUrl?: string;
      /** The version (bare versionId) the caller has read. */
      readonly ifMatch?: string;
      /** What the caller has read, by `parseExact`, whole and as it was: the store does not read that version again. */
      readonly before?: Resource;
      /** Only when there is no such resource yet: `If-None-Match: *`. */
      readonly ifAbsent?: boolean;
      /** Conditional update: search query string without `?`. */
      readonly query?: string;
    }
  | {
      readonly op: 'patch';
      readonly type: string;
      readonly id?: string;
      /**
       * Makes the next content out of the current one, which it may change in place; runs inside the commit, so nothing
       * can come between. A result that says the same makes no version.
       * @throws Fault when it cannot be applied
       */
      readonly revise: (current: Resource) => Resource;
      /** Whether `revise` succeeds tells what the resource says. */
      readonly tellsContent?: boolean;
      /** Makes a version also of a result that says the same: that there is none would tell what the resource says. */
      readonly evenIfSame?: boolean;
      readonly ifMatch?: string;
      /** Conditional patch, exactly one match: search query string without `?`. */
      readonly query?: string;
    }
  | {
      readonly op: 'delete';
      readonly type: string;
      readonly id?: string;
      readonly ifMatch?: string;
      /** Conditional delete, exactly one match: search query string without `?`. */
      readonly query?: string;
    };
