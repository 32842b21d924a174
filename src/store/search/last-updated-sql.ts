// `_lastUpdated` on the column `resource.updated`, which holds whole milliseconds: a range of exactly one.
import type { DateMatch } from '../../fhir/search/query.ts';
import { type Fragment, sql } from './fragment.ts';

export function lastUpdatedSql({ prefix, low, high }: DateMatch, row: Fragment): Fragment {
  switch (prefix) {
    case 'eq':
    case 'co':
    case 'ap':
      return sql`(${row}.updated >= ${low} AND ${row}.updated < ${high})`;
    case 'ne':
      return sql`(${row}.updated < ${low} OR ${row}.updated >= ${high})`;
    case 'gt':
    case 'sa':
      return sql`${row}.updated >= ${high}`;
    case 'lt':
    case 'eb':
      return sql`${row}.updated < ${low}`;
    case 'ge':
      return sql`${row}.updated >= ${low}`;
    case 'le':
      return sql`${row}.updated < ${high}`;
  }
}
