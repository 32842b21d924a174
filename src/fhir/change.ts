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
      /** Conditional update: search query string without `?`. */
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
