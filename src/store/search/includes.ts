// `_include` and `_revinclude`: the resources that a page's matches refer to, and those that refer to them; with
// `:iterate` also for what was included. Every resource once, never one that is already a match.
// https://hl7.org/fhir/R4/search.html#include
import { Fault } from '../../fault.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Include } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { StoredVersion } from '../store.ts';
import { type FoundRow, foundRow } from './found-rows.ts';
import { type IncludePath, includeSql, MAX_INCLUDED } from './include-sql.ts';
import type { ParameterIds } from './parameter-ids.ts';

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
  const path = pathOf(include, context);
  if (path.parameters.length === 0) return [];
  const found: FoundRow[] = [];
  for (let start = 0; start < from.length; start += CHUNK) {
    const rids = from.slice(start, start + CHUNK).map((row) => row.rid);
    for (const { text, params } of includeSql(include, path, rids)) {
      found.push(...(await db.all(text, params)).map(foundRow));
    }
    if (found.length > MAX_INCLUDED) throw tooMany();
  }
  return found;
}

/** What the include follows: reference parameters, and the `url` parameters of the types that canonicals name. */
function pathOf(include: Include, { parameters, ids }: IncludeContext): IncludePath {
  const sources = include.source === undefined ? parameters.types : [include.source];
  const found = new Set<number>();
  const named = new Set<string>();
  for (const source of sources) {
    for (const definition of parameters.forType(source)) {
      if (definition.kind !== 'reference') continue;
      if (include.code !== undefined && definition.code !== include.code) continue;
      found.add(ids.idOf(definition));
      for (const target of definition.targets) named.add(target);
    }
  }
  const urls = [...named]
    .filter((target) => include.target === undefined || target === include.target)
    .filter((target) => include.amongTypes === undefined || include.amongTypes.includes(target))
    .map((target) => parameters.get(target, 'url'))
    .filter((definition) => definition?.kind === 'uri');
  return { parameters: [...found], urls: urls.map((definition) => (definition ? ids.idOf(definition) : 0)) };
}

function tooMany(): Fault {
  const message = `This page would include more than ${MAX_INCLUDED} resources. Ask for a smaller _count or fewer includes.`;
  return new Fault('too-large', message, { code: 'too-costly' });
}
