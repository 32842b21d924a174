// How the store sees search: rows are replaced when a resource changes, and a query is answered from them.
import type { Resource } from '@medplum/fhirtypes';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { SearchQuery, WithheldCondition } from '../../fhir/search/query.ts';
import type { Transaction } from '../engine.ts';
import type { Sql } from '../sql.ts';
import type { AskedIdentifier, SearchResult, StoredVersion, Withholding } from '../store.ts';

/** What `open` found, for when its transaction is on disk. */
export interface OpenedIndex {
  /** Of all parameters together; two processes with the same one write the same search rows. */
  readonly fingerprint: string;
  /** From here on the engine indexes and searches by the parameters it was opened with. */
  enforce(): void;
}

export interface PatientsOfResource {
  readonly id: string;
  readonly version: number;
  readonly patients: readonly string[];
}

/** What is known of the search rows that a resource has. */
export interface Indexed {
  /** It has none yet. */
  readonly fresh: boolean;
  /** They are those of this, so only those that differ need be written. With exact decimals. */
  readonly before?: Resource | undefined;
  /** Ids of the patients whose compartment that is in, if known. */
  readonly patients?: readonly string[] | undefined;
}

export interface SearchEngine {
  /** This server's FHIR base: absolute references below it are local. */
  readonly baseUrl: string;
  /**
   * Gives every search parameter its integer id (table `search_parameter`), and finds out which of them the stored
   * resources are not indexed by yet. Call it in a write transaction, after the migrations and before anything else
   * here, and again when the parameters have changed. Nothing changes here before `enforce`.
   * @param parameters those that the engine was made with when absent
   */
  open(tx: Sql, parameters?: SearchParameters): Promise<OpenedIndex>;
  /** Asks again which parameters are not indexed yet; false when all are. */
  followIndexing(sql: Sql): Promise<boolean>;
  /**
   * Replaces the search rows of the resource whose `resource.rid` is given.
   * @returns ids of the patients whose compartment the resource is in
   */
  index(tx: Transaction, rid: number, resource: Resource, indexed: Indexed): Promise<readonly string[]>;
  /** Of those resources that are there: version, and patients whose compartment they are in, from their search rows. */
  patientsOf(sql: Sql, type: string, ids: readonly string[]): Promise<PatientsOfResource[]>;
  /** Removes them (the resource was deleted). */
  unindex(tx: Transaction, rid: number): Promise<void>;
  /** @throws Fault unavailable when the identifiers of one of the types are not indexed yet */
  identified(sql: Sql, asked: readonly AskedIdentifier[]): Promise<StoredVersion[]>;
  /**
   * What criteria find that ask for one identifier and nothing else, `most` at most; undefined when they ask for anything else.
   * @throws Fault unavailable as `identified` does
   */
  withSoleIdentifier(sql: Sql, type: string, query: string, most: number): Promise<StoredVersion[] | undefined>;
  /** @throws Fault unavailable when it asks by a parameter that is not indexed yet */
  run(sql: Sql, query: SearchQuery): Promise<SearchResult>;
  /** Why, if at all, a current resource is withheld. @throws Fault unavailable as `run` does */
  withholding(sql: Sql, rid: number, condition: WithheldCondition): Promise<Withholding>;
  /** Parses `Type?parameters`. @throws Fault invalid */
  parse(query: string): SearchQuery;
}
