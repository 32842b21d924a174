// One step of an include as SQL: from rows to the resources that they refer to, or that refer to them, by reference or
// by canonical URL (a version after `|` chooses nothing: every resource with the URL is included).
import type { Include } from '../../fhir/search/query.ts';
import { conditionSql } from './condition-sql.ts';
import { FOUND_COLUMNS } from './found-rows.ts';
import { among, amongPadded, atMost, type Fragment, raw, sql, TRUE } from './fragment.ts';
import type { IncludePath } from './include-path.ts';
import { R } from './match-source.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** Included resources of one page. The rest is left out, and the client told so. */
export const MAX_INCLUDED = 5000;

/** One row more than may be included is asked for, to tell that there are too many. */
export function includeSql(
  include: Include,
  path: IncludePath,
  rids: readonly number[],
  ids: ParameterIds,
): Fragment[] {
  const isForward = include.direction === 'include';
  const statements = [isForward ? targetsSql(include, path, rids) : referrersSql(include, path, rids)];
  if (path.urls.length > 0) statements.push(isForward ? namedSql(path, rids) : namersSql(path, rids));
  const within = include.within ? sql`AND ${conditionSql(include.within, R, ids)} ${LIMIT}` : LIMIT;
  return statements.map((statement) => sql`${statement} ${within}`);
}

const LIMIT = sql`ORDER BY r.rid ${atMost(MAX_INCLUDED + 1)}`;

/** A resource has references of its own parameters only, so that `every` needs no list of them. */
function followed(parameters: IncludePath['parameters']): Fragment {
  return parameters === 'every' ? TRUE : sql`x.parameter ${among(parameters)}`;
}

/**
 * The same of rows that are looked up by `rid`. As an expression, because SQLite would rather walk the index of the
 * parameter, which has a row for every resource of the type.
 */
function followedFrom(parameters: IncludePath['parameters']): Fragment {
  return parameters === 'every' ? TRUE : sql`x.parameter + 0 ${among(parameters)}`;
}

function targetsSql({ target, amongTypes }: Include, { parameters }: IncludePath, rids: readonly number[]): Fragment {
  const types = target === undefined ? amongTypes : [target];
  const ofType = types === undefined ? raw('') : sql` AND x.target_type ${among(types)}`;
  return sql`SELECT ${FOUND_COLUMNS} FROM (SELECT DISTINCT x.target_type, x.target_id FROM search_reference x
    WHERE x.rid ${amongPadded(rids)} AND ${followedFrom(parameters)} AND x.part = 0${ofType}) t
    CROSS JOIN resource r WHERE r.type = t.target_type AND r.id = t.target_id AND r.deleted = 0`;
}

function referrersSql({ target }: Include, { parameters }: IncludePath, rids: readonly number[]): Fragment {
  const ofType = target === undefined ? raw('') : sql` AND m.type = ${target}`;
  return sql`SELECT ${FOUND_COLUMNS} FROM (SELECT DISTINCT x.rid FROM resource m CROSS JOIN search_reference x
    WHERE m.rid ${amongPadded(rids)}${ofType} AND ${followed(parameters)} AND x.part = 0
    AND x.target_id = m.id AND x.target_type = m.type) t
    CROSS JOIN resource r WHERE r.rid = t.rid AND r.deleted = 0`;
}

function namedSql({ parameters, urls }: IncludePath, rids: readonly number[]): Fragment {
  return sql`SELECT ${FOUND_COLUMNS} FROM (SELECT DISTINCT u.rid FROM search_reference x CROSS JOIN search_uri u
    WHERE x.rid ${amongPadded(rids)} AND ${followedFrom(parameters)} AND x.part = 0 AND x.target_type = ''
    AND u.parameter ${among(urls)} AND u.value = x.target_id) t
    CROSS JOIN resource r WHERE r.rid = t.rid AND r.deleted = 0`;
}

function namersSql({ parameters, urls }: IncludePath, rids: readonly number[]): Fragment {
  return sql`SELECT ${FOUND_COLUMNS} FROM (SELECT DISTINCT x.rid FROM search_uri u CROSS JOIN search_reference x
    WHERE u.rid ${amongPadded(rids)} AND u.parameter ${among(urls)} AND ${followed(parameters)}
    AND x.target_id = u.value AND x.target_type = '' AND x.part = 0) t
    CROSS JOIN resource r WHERE r.rid = t.rid AND r.deleted = 0`;
}
