// `_include` and `_revinclude`: the resources that a page's matches refer to, and those that refer to them; with
// `:iterate` also for what was included. Every resource once, never one that is already a match.
// https://hl7.org/fhir/R4/search.html#include
import type { Include } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { StoredVersion } from '../store.ts';
import { type FoundRow, foundRow } from './found-rows.ts';
import { type IncludeContext, includePath } from './include-path.ts';
import { includeSql, MAX_INCLUDED } from './include-sql.ts';

const CHUNK = 500;

export interface Included {
  readonly versions: StoredVersion[];
  /** There are more than MAX_INCLUDED; the rest is left out, which the client must be told. */
  readonly isCut: boolean;
}

export async function resolveIncludes(
  db: Sql,
  includes: readonly Include[],
  matches: readonly FoundRow[],
  context: IncludeContext,
): Promise<Included> {
  const seen = new Set(matches.map((match) => match.rid));
  const versions: StoredVersion[] = [];
  let frontier: readonly FoundRow[] = matches;
  // The first round serves every include; later rounds, from what the round before found, those with `:iterate`.
  for (let active = includes; active.length > 0 && frontier.length > 0; active = includes.filter((i) => i.iterate)) {
    const next: FoundRow[] = [];
    for (const include of active) {
      for await (const rows of follow(db, include, frontier, context)) {
        for (const found of rows.filter(({ rid }) => !seen.has(rid))) {
          if (versions.length === MAX_INCLUDED) return { versions, isCut: true };
          seen.add(found.rid);
          next.push(found);
          versions.push(found.version);
        }
        // A statement reads no more than this; what it did not read may be missing.
        if (rows.length > MAX_INCLUDED) return { versions, isCut: true };
      }
    }
    frontier = next;
  }
  return { versions, isCut: false };
}

/** @param count of matches on the page */
export function cutSentence(count: number): string {
  const advice = count > 1 ? 'Ask for a smaller _count or fewer includes.' : 'Search for them instead.';
  return `More than ${MAX_INCLUDED} resources would be included; the rest is not here. ${advice}`;
}

/** What the rows lead to, statement by statement; a resource may come more than once. */
async function* follow(
  db: Sql,
  include: Include,
  from: readonly FoundRow[],
  context: IncludeContext,
): AsyncGenerator<FoundRow[]> {
  const path = includePath(include, context);
  if (path.parameters.length === 0) return;
  for (let start = 0; start < from.length; start += CHUNK) {
    const rids = from.slice(start, start + CHUNK).map((row) => row.rid);
    for (const { text, params } of includeSql(include, path, rids, context.ids))
      yield (await db.all(text, params)).map(foundRow);
  }
}
