// The resources below (or above) one in the hierarchy that its type forms. Cycles end, because every id comes once.
import type { HierarchyCondition } from '../../fhir/search/query.ts';
import { type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** `SELECT … AS rid` of what refers to the resource or to one below or above it. */
export function hierarchySql(condition: HierarchyCondition, ids: ParameterIds, depth: number): Fragment {
  const x = raw(`h${depth}`);
  const { parameter, type } = condition;
  return sql`SELECT ${x}.rid AS rid FROM search_reference ${x} WHERE ${x}.parameter = ${ids.idOf(parameter)}
    AND ${x}.target_type = ${type} AND ${x}.target_id IN (${familySql(condition, ids, depth)})`;
}

function familySql({ direction, type, id, partOf }: HierarchyCondition, ids: ParameterIds, depth: number): Fragment {
  const family = raw(`family${depth}`);
  const link = ids.idOf(partOf);
  const step =
    direction === 'below'
      ? sql`SELECT r.id FROM ${family} f CROSS JOIN search_reference e CROSS JOIN resource r
          WHERE e.parameter = ${link} AND e.target_type = ${type} AND e.target_id = f.id
          AND r.rid = e.rid AND r.type = ${type} AND r.deleted = 0`
      : sql`SELECT e.target_id FROM ${family} f CROSS JOIN resource r CROSS JOIN search_reference e
          WHERE r.type = ${type} AND r.id = f.id AND r.deleted = 0
          AND e.rid = r.rid AND e.parameter = ${link} AND e.target_type = ${type}`;
  // PostgreSQL wants both parts in the collation of the columns.
  const collation = raw(ids.dialect === 'postgres' ? ' COLLATE "C"' : '');
  return sql`WITH RECURSIVE ${family} (id) AS (SELECT CAST(${id} AS TEXT)${collation} UNION ${step})
    SELECT id FROM ${family}`;
}
