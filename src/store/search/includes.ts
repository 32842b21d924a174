// `_include` and `_revinclude`: the resources that a page's matches refer to, and those that refer to them; with
// `:iterate` also for what was included. Every resource once, never one that is already a match.
// https://hl7.org/fhir/R4/search.html#include
import { Fault } from '../../fault.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Include } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { StoredVersion } from '../store.ts';
import { FOUND_COLUMNS, type FoundRow, foundRow } from './found-rows.ts';
import { among, amongPadded, type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** Included resources of one page. Beyond it the search is refused, because a silently cut answer looks complete. */
export const MAX_INCLUDED = 5000;
const CHUNK = 500;

export interface IncludeContext {
  readonly parameters: SearchParameters;
  readonly ids: ParameterIds;
}

/** @throws Fault too-large (too-costly) when a page would include more than MAX_INCLUDED resources */
export async function resolveIncludes(
  db: Sql,
  includes: readonly Include[],
  matches: readonly FoundRow[],
  context: IncludeContext,
): Promise<StoredVersion[]> {
  const seen = new Set(matches.map((match) => match.rid));
  const included: StoredVersion[] = [];
  let frontier: readonly FoundRow[] = matches;
  // The first round serves every include; later rounds, from what the round before found, those with `:iterate`.
  for (let active = includes; active.length > 0 && frontier.length > 0; active = includes.filter((i) => i.iterate)) {
    const next: FoundRow[] = [];
    for (const include of active) {
      for (const found of await follow(db, include, frontier, context)) {
        if (seen.has(found.rid)) continue;
        seen.add(found.rid);
        next.push(found);
        included.push(found.version);
      }
      if (included.length > MAX_INCLUDED) throw tooMany();
    }
    frontier = next;
  }
  return included;
}

async function follow(
  db: Sql,
  include: Include,
  from: readonly FoundRow[],
  context: IncludeContext,
): Promise<FoundRow[]> {
  const parameters = parametersOf(include, context);
  if (parameters.length === 0) return [];
  const found: FoundRow[] = [];
  for (let start = 0; start < from.length; start += CHUNK) {
    const rids = from.slice(start, start + CHUNK).map((row) => row.rid);
    const statement =
      include.direction === 'include' ? targetsSql(include, parameters, rids) : referrersSql(include, parameters, rids);
    found.push(...(await db.all(statement.text, statement.params)).map(foundRow));
    if (found.length > MAX_INCLUDED) throw tooMany();
  }
  return found;
}

/** Ids of the reference parameters that the include follows. */
function parametersOf(include: Include, { parameters, ids }: IncludeContext): number[] {
  const sources = include.source === undefined ? parameters.types : [include.source];
  const found = new Set<number>();
  for (const source of sources) {
    for (const definition of parameters.forType(source)) {
      if (definition.kind !== 'reference') continue;
      if (include.code === undefined || definition.code === include.code) found.add(ids.idOf(definition));
    }
  }
  return [...found];
}

function targetsSql(include: Include, parameters: readonly number[], rids: readonly number[]): Fragment {
  const target = include.target === undefined ? raw('') : sql` AND x.target_type = ${include.target}`;
  return sql`SELECT ${FOUND_COLUMNS} FROM (SELECT DISTINCT x.target_type, x.target_id FROM search_reference x
    WHERE x.rid ${amongPadded(rids)} AND x.parameter ${among(parameters)} AND x.part = 0${target}) t
    CROSS JOIN resource r WHERE r.type = t.target_type AND r.id = t.target_id AND r.deleted = 0
    ORDER BY r.rid LIMIT ${MAX_INCLUDED + 1}`;
}

function referrersSql(include: Include, parameters: readonly number[], rids: readonly number[]): Fragment {
  const target = include.target === undefined ? raw('') : sql` AND m.type = ${include.target}`;
  return sql`SELECT ${FOUND_COLUMNS} FROM (SELECT DISTINCT x.rid FROM resource m CROSS JOIN search_reference x
    WHERE m.rid ${amongPadded(rids)}${target} AND x.parameter ${among(parameters)} AND x.part = 0
    AND x.target_id = m.id AND x.target_type = m.type) t
    CROSS JOIN resource r WHERE r.rid = t.rid AND r.deleted = 0 ORDER BY r.rid LIMIT ${MAX_INCLUDED + 1}`;
}

function tooMany(): Fault {
  const message = `This page would include more than ${MAX_INCLUDED} resources. Ask for a smaller _count or fewer includes.`;
  return new Fault('too-large', message, { code: 'too-costly' });
}
