// Asks whether there is something, and for no more.
import type { Condition, SearchQuery } from './query.ts';

/**
 * @param type absent for any
 * @returns a query that finds one resource that fulfils all the conditions, when there are any
 */
export function existenceQuery(type: string | undefined, conditions: readonly Condition[]): SearchQuery {
  const ofType = type === undefined ? {} : { type };
  return { ...ofType, conditions, includes: [], sort: [], count: 1, total: 'none', applied: [], ignored: [] };
}

/** The resource with this id, in the type that is searched. */
export function withId(id: string): Condition {
  return { kind: 'id', ids: [id], negated: false };
}
