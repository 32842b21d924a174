// Answers a query: one page of matches, what they include, where to go on, and how many there are.
import type { SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SearchResult } from '../store.ts';
import { decodeCursor, encodeCursor, type SortValue } from './cursor.ts';
import { foundRow } from './found-rows.ts';
import { cutSentence, resolveIncludes } from './includes.ts';
import { type PlanContext, readPage, totalSql } from './plan.ts';

export interface RunContext extends PlanContext {
  /** Of `openCursorKey`. */
  readonly cursorKey: string;
}

/** @throws Fault invalid when the cursor is not one of this search */
export async function runQuery(db: Sql, query: SearchQuery, context: RunContext): Promise<SearchResult> {
  const total = async () => {
    const statement = totalSql(query, context);
    const [row] = await db.all(statement.text, statement.params);
    return Number(row?.total ?? 0);
  };
  if (query.count === 0) return { items: [], included: [], total: await total() };

  const after = decodeCursor(context.cursorKey, query);
  const rows = await readPage(db, query, after, query.count + 1, context);
  const matches = rows.slice(0, query.count).map(foundRow);
  const { versions: included, isCut } = await resolveIncludes(db, query.includes, matches, context);

  const hasMore = rows.length > query.count;
  const last = rows[matches.length - 1];
  const next =
    hasMore && last ? { next: encodeCursor(context.cursorKey, query, positionOf(last, query.sort.length)) } : {};
  const isWhole = !hasMore && !after;
  const known = isWhole ? matches.length : query.total === 'accurate' ? await total() : undefined;
  const counted = known === undefined || query.total === 'none' ? {} : { total: known };
  const warned = isCut ? { warnings: [cutSentence(matches.length)] } : {};
  return { items: matches.map((match) => match.version), included, ...next, ...counted, ...warned };
}

function positionOf(row: Readonly<Record<string, unknown>>, keys: number) {
  const values = Array.from({ length: keys }, (_, i) => (row[`k${i}`] ?? null) as SortValue);
  return { rid: Number(row.rid), values };
}
