// How the store sees search: rows are replaced when a resource changes, and a query is answered from them.
import type { Resource } from '@medplum/fhirtypes';
import type { SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SearchResult } from '../store.ts';

export interface SearchEngine {
  /**
   * Gives every search parameter its integer id (table `search_parameter`). Call once per process, after the migrations
   * and before anything else here, outside any transaction that may still be rolled back.
   */
  open(sql: Sql): Promise<void>;
  /** Replaces the search rows of the resource whose `resource.rid` is given. `fresh` says that it has none yet. */
  index(tx: Sql, rid: number, resource: Resource, fresh: boolean): Promise<void>;
  /** Removes them (the resource was deleted). */
  unindex(tx: Sql, rid: number): Promise<void>;
  run(sql: Sql, query: SearchQuery): Promise<SearchResult>;
  /** Parses `Type?parameters`. @throws Fault invalid */
  parse(query: string): SearchQuery;
}
