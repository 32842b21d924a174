// Search over the relational store: index rows written at commit, queries planned to SQL.
import type { Resource } from '@medplum/fhirtypes';
import { createExtraction, type Extraction } from '../../fhir/search/extract.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import { parseSearchUrl } from '../../fhir/search/parse.ts';
import type { SearchQuery } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { SearchResult } from '../store.ts';
import { decodeCursor, encodeCursor, type SortValue } from './cursor.ts';
import type { SearchEngine } from './engine.ts';
import { foundRow } from './found-rows.ts';
import { resolveIncludes } from './includes.ts';
import { openParameterIds, type ParameterIds } from './parameter-ids.ts';
import { planPage, totalSql } from './plan.ts';
import { deleteRows, insertRows } from './write-rows.ts';

export interface SearchEngineOptions {
  readonly parameters: SearchParameters;
  /** This server's FHIR base without a trailing slash: absolute references below it are local. */
  readonly baseUrl: string;
}

export function createSearchEngine({ parameters, baseUrl }: SearchEngineOptions): SearchEngine {
  let opened: { readonly ids: ParameterIds; readonly extract: Extraction } | undefined;
  const ready = () => {
    if (!opened) throw new Error('The search engine is used before open().');
    return opened;
  };
  return {
    async open(sql) {
      const ids = await openParameterIds(sql, parameters);
      opened = { ids, extract: createExtraction({ parameters, baseUrl, idOf: ids.idOf }) };
    },
    async index(tx: Sql, rid: number, resource: Resource, fresh: boolean) {
      const rows = ready().extract(resource);
      if (!fresh) await deleteRows(tx, rid);
      await insertRows(tx, rid, rows);
    },
    unindex: deleteRows,
    run: (sql, query) => run(sql, query, { parameters, ids: ready().ids }),
    parse: (query) => parseSearchUrl(parameters, query, { handling: 'strict', baseUrl }),
  };
}

async function run(
  db: Sql,
  query: SearchQuery,
  context: { readonly parameters: SearchParameters; readonly ids: ParameterIds },
): Promise<SearchResult> {
  const total = async () => {
    const statement = totalSql(query, context);
    const [row] = await db.all(statement.text, statement.params);
    return Number(row?.total ?? 0);
  };
  if (query.count === 0) return { items: [], included: [], total: await total() };

  const after = decodeCursor(query);
  const statement = await planPage(db, query, after, query.count + 1, context);
  const rows = await db.all(statement.text, statement.params);
  const matches = rows.slice(0, query.count).map(foundRow);
  const included = await resolveIncludes(db, query.includes, matches, context);

  const hasMore = rows.length > query.count;
  const last = rows[matches.length - 1];
  const next = hasMore && last ? { next: encodeCursor(query, positionOf(last, query.sort.length)) } : {};
  const isWhole = !hasMore && !after;
  const known = isWhole ? matches.length : query.total === 'accurate' ? await total() : undefined;
  const counted = known === undefined || query.total === 'none' ? {} : { total: known };
  return { items: matches.map((match) => match.version), included, ...next, ...counted };
}

function positionOf(row: Readonly<Record<string, unknown>>, keys: number) {
  const values = Array.from({ length: keys }, (_, i) => (row[`k${i}`] ?? null) as SortValue);
  return { rid: Number(row.rid), values };
}
