// "No farther than": positions are indexed as x, y and z on a sphere of radius 1, and compared by the square of the chord.
import type { NearCondition } from '../../fhir/search/query.ts';
import { and, type Fragment, join, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** Rounding of the coordinates, as a length. */
const SLACK = 1e-9;

/** `SELECT … AS rid` of the positions within reach, found along the x axis. */
export function nearSql(condition: NearCondition, ids: ParameterIds, depth: number): Fragment {
  const reach = condition.chord + SLACK;
  const [x = 0] = condition.point;
  const first = raw(`n${depth}_0`);
  const aliases = condition.axes.map((_, axis) => `search_number n${depth}_${axis}`).join(' CROSS JOIN ');
  const within = sql`${first}.low >= ${x - reach} AND ${first}.low <= ${x + reach}`;
  return sql`SELECT ${first}.rid AS rid FROM ${raw(aliases)} WHERE ${within} AND ${distanceSql(condition, ids, depth)}`;
}

/** Whether the resource in `row` has such a position. */
export function isNearSql(condition: NearCondition, row: Fragment, ids: ParameterIds, depth: number): Fragment {
  const aliases = condition.axes.map((_, axis) => `search_number n${depth}_${axis}`).join(' CROSS JOIN ');
  const same = sql`${raw(`n${depth}_0`)}.rid = ${row}.rid`;
  return sql`EXISTS (SELECT 1 FROM ${raw(aliases)} WHERE ${same} AND ${distanceSql(condition, ids, depth)})`;
}

function distanceSql({ axes, point, chord }: NearCondition, ids: ParameterIds, depth: number): Fragment {
  const first = raw(`n${depth}_0`);
  const rows = axes.map((key, axis) => {
    const alias = raw(`n${depth}_${axis}`);
    const place = sql`${alias}.parameter = ${ids.idOf(key)}`;
    return axis === 0 ? place : sql`${alias}.rid = ${first}.rid AND ${place}`;
  });
  const squares = axes.map((_, axis) => {
    const difference = sql`(${raw(`n${depth}_${axis}`)}.low - ${point[axis] ?? 0})`;
    return sql`${difference} * ${difference}`;
  });
  return and([...rows, sql`${join(squares, ' + ')} <= ${(chord + SLACK) ** 2}`]);
}
