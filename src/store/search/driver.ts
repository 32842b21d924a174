// Which condition a page is driven by: the one that promises the smallest set of candidates.
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import { BROAD, breadth, candidatesSql } from './candidates.ts';
import { sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** The condition that promises the fewest candidates; undefined when no index can list any of them. */
export function narrowest(conditions: readonly Condition[]): Condition | undefined {
  let best: Condition | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const condition of conditions) {
    const size = breadth(condition);
    if (size !== undefined && size < least) [best, least] = [condition, size];
  }
  return best;
}

/** With this many candidates or more, walking the type and asking each resource is cheaper than listing them. */
const MANY = 2000;

/**
 * Whether the condition's candidates are too many to collect for every page. Kinds of conditions that are narrow by
 * nature are not counted.
 */
export async function isBroad(db: Sql, query: SearchQuery, driver: Condition, ids: ParameterIds): Promise<boolean> {
  if ((breadth(driver) ?? BROAD) < BROAD - 1) return false;
  const set = candidatesSql(driver, query.type, ids);
  if (!set) return true;
  const { text, params } = sql`SELECT COUNT(*) AS n FROM (SELECT rid FROM (${set}) f LIMIT ${MANY}) g`;
  const [row] = await db.all(text, params);
  return Number(row?.n ?? 0) >= MANY;
}
