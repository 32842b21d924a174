// History of one resource, one type or the whole store, newest first. https://hl7.org/fhir/R4/http.html#history
import { Fault } from '../fault.ts';
import { parseInstant } from './instant.ts';
import { periodOf } from './period.ts';
import type { Sql } from './sql.ts';
import type { HistoryRequest, Page, SqlValue, StoredVersion } from './store.ts';
import { storedVersion, VERSION_COLUMNS } from './stored.ts';

interface Filter {
  readonly where: string[];
  readonly params: SqlValue[];
}

/** Where the next page begins, and the total as it was on the first page. */
interface Position {
  readonly before: number;
  readonly total: number;
}

/** @throws Fault invalid for an instant or cursor that is none */
export async function readHistory(sql: Sql, request: HistoryRequest): Promise<Page<StoredVersion>> {
  const filter = filterOf(request);
  const position = request.cursor === undefined ? undefined : decodeCursor(request.cursor);
  const total = position?.total ?? (await count(sql, filter));
  if (request.count <= 0) return { items: [], total };
  const rows = await sql.all(pageSql(request, filter, position), [
    ...filter.params,
    ...(position ? [position.before] : []),
    request.count + 1,
  ]);
  const items = rows.slice(0, request.count).map(storedVersion);
  const last = items.at(-1);
  if (rows.length <= request.count || !last) return { items, total };
  return { items, total, next: encodeCursor({ before: last.sequence, total }) };
}

function filterOf(request: HistoryRequest): Filter {
  const where: string[] = [];
  const params: SqlValue[] = [];
  if (request.type !== undefined) add('v.type = ?', request.type);
  if (request.id !== undefined) add('v.id = ?', request.id);
  // lastUpdated never decreases along the log, so a time becomes a position, which the order needs anyway.
  if (request.since !== undefined) {
    const since = parseInstant(request.since, '_since');
    add(
      `${positionOf(request)} >= (SELECT sequence FROM version WHERE updated >= ? ORDER BY updated, sequence LIMIT 1)`,
      since,
    );
  }
  if (request.at !== undefined) {
    const { start, end } = periodOf(request.at, '_at');
    add('v.updated < ?', end);
    // Superseded before the period began: not current at any time in it. A deletion is an event, not a state.
    add(
      `NOT EXISTS (SELECT 1 FROM version n
        WHERE n.type = v.type AND n.id = v.id AND n.version = v.version + 1 AND n.updated <= ?)`,
      start,
    );
    add("(v.operation <> 'delete' OR v.updated >= ?)", start);
  }
  if (request.among !== undefined) {
    const groups = [...Map.groupBy(request.among, ({ type }) => type).values()];
    const conditions = groups.map((group) => `v.type = ? AND v.id IN (${group.map(() => '?').join(', ')})`);
    where.push(groups.length === 0 ? '1 = 0' : `(${conditions.join(' OR ')})`);
    for (const group of groups) params.push(group[0]?.type ?? '', ...group.map(({ id }) => id));
  }
  return { where, params };

  function add(condition: string, param: SqlValue): void {
    where.push(condition);
    params.push(param);
  }
}

function pageSql(request: HistoryRequest, filter: Filter, position: Position | undefined): string {
  const where = position ? [...filter.where, `${positionOf(request)} < ?`] : filter.where;
  // Both orders are the same for one resource.
  const order = request.id === undefined ? 'v.sequence' : 'v.version';
  return `SELECT ${VERSION_COLUMNS} FROM version v ${whereSql(where)} ORDER BY ${order} DESC LIMIT ?`;
}

/** For one resource the plus keeps the database from walking its whole type by position: few versions are to be sorted. */
function positionOf(request: HistoryRequest): string {
  return request.id === undefined ? 'v.sequence' : '+v.sequence';
}

async function count(sql: Sql, filter: Filter): Promise<number> {
  const [row] = await sql.all(`SELECT COUNT(*) AS total FROM version v ${whereSql(filter.where)}`, filter.params);
  return Number(row?.total ?? 0);
}

function whereSql(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}

function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify([position.before, position.total])).toString('base64url');
}

function decodeCursor(cursor: string): Position {
  try {
    const [before, total]: unknown[] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Number.isSafeInteger(before) && Number.isSafeInteger(total))
      return { before: Number(before), total: Number(total) };
  } catch {
    // falls through to the same answer
  }
  throw new Fault('invalid', 'The page cursor is not one that this server has given out.', { code: 'value' });
}
