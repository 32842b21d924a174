// Which condition a page is driven by: the one that promises the smallest set of candidates.
import type { Condition, SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import { BROAD, breadth, candidatesSql } from './candidates.ts';
import { atMost, sql } from './fragment.ts';
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

export interface Driver {
  /** Undefined when no index can list any condition's candidates. */
  readonly driver: Condition | undefined;
  /** Its candidates are too many to collect for every page, and so are those of every other condition. */
  readonly isBroad: boolean;
}

/** Between references, which are few by nature, and text, which may begin many names. */
const BEFORE_TEXT = 3.5;

/**
 * What is about the patients of somebody is mostly little, whatever else is asked for; how little only counting tells.
 */
function isAboutPatients(condition: Condition): boolean {
  if (condition.kind === 'any') return condition.of.some(isAboutPatients);
  return condition.kind === 'members' || (condition.kind === 'all' && condition.of.some(isAboutPatients));
}

/** Counts candidates, up to a limit, only of kinds of conditions that are not narrow by nature. */
export async function chooseDriver(
  db: Sql,
  query: SearchQuery,
  conditions: readonly Condition[],
  ids: ParameterIds,
): Promise<Driver> {
  const ranked = conditions
    .map((condition) => ({ condition, size: breadth(condition) ?? Number.POSITIVE_INFINITY }))
    .filter(({ size }) => Number.isFinite(size))
    .map(({ condition, size }) => {
      const isCounted = size >= BROAD - 1;
      return { condition, isCounted, rank: isCounted && isAboutPatients(condition) ? BEFORE_TEXT : size };
    })
    .sort((a, b) => a.rank - b.rank);
  for (const { condition, isCounted } of ranked) {
    if (!isCounted || !(await hasMany(db, query, condition, ids))) return { driver: condition, isBroad: false };
  }
  return { driver: ranked[0]?.condition, isBroad: ranked.length > 0 };
}

async function hasMany(db: Sql, query: SearchQuery, condition: Condition, ids: ParameterIds): Promise<boolean> {
  const set = candidatesSql(condition, query.type, ids);
  if (!set) return true;
  const { text, params } = sql`SELECT COUNT(*) AS n FROM (SELECT rid FROM (${set}) f ${atMost(MANY)}) g`;
  const [row] = await db.all(text, params);
  return Number(row?.n ?? 0) >= MANY;
}
