// A condition turned round: the set of rows that fulfil it, asked of the index. A page is driven by the condition that
// promises the smallest set; all others are asked per candidate (condition-sql.ts).
import type { CompositeCondition, Condition, MatchCondition } from '../../fhir/search/query.ts';
import { componentSql, conditionSql, isNotEqual, kindsOf } from './condition-sql.ts';
import { among, and, type Fragment, join, or, raw, sql } from './fragment.ts';
import { wordsSql } from './full-text.ts';
import { hierarchySql } from './hierarchy-sql.ts';
import { lastUpdatedSql } from './last-updated-sql.ts';
import { nearSql } from './near-sql.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { tableOf, valuesSql } from './value-sql.ts';

/**
 * How large a condition's set is expected to be, by its kind alone: the lower the smaller. From `BROAD` on it may well
 * be a good part of the type. Undefined when the index cannot list it.
 */
export function breadth(condition: Condition): number | undefined {
  switch (condition.kind) {
    case 'id':
      return condition.negated ? undefined : 0;
    case 'match':
      return condition.negated || condition.anyOf.some(isNotEqual) ? undefined : matchBreadth(condition);
    case 'composite':
      return compositeBreadth(condition);
    case 'compartment':
    case 'hierarchy':
      return 3;
    case 'near':
      return 4;
    case 'members':
      return breadth(condition.patients) === undefined ? undefined : BROAD - 1;
    case 'words':
      return BROAD - 1;
    case 'chain':
      return worst(
        condition.targets.map((target) => breadth(target.condition)),
        1,
      );
    case 'has':
      return worst([breadth(condition.condition)], 1);
    case 'updated':
      return condition.anyOf.some(isNotEqual) ? undefined : BROAD + 1;
    case 'missing':
      return condition.missing ? undefined : BROAD + 1;
    case 'any':
      return worst(condition.of.map(breadth), 0);
    case 'all':
      return condition.of.map(breadth).reduce((best, each) => smaller(best, each), undefined);
    default:
      return undefined;
  }
}

export const BROAD = 6;

/** The first component is looked for in the index, the others in what it finds. */
function compositeBreadth({ components: [parameter], anyOf }: CompositeCondition): number {
  const first = anyOf.flatMap(([match]) => match ?? []);
  return parameter ? Math.min(BROAD - 1, matchBreadth({ kind: 'match', parameter, anyOf: first, negated: false })) : 0;
}

/** Ways to compare text that an index answers with few rows. */
const NARROW: ReadonlySet<string> = new Set(['starts', 'exact', 'equals']);

function matchBreadth({ parameter, anyOf }: MatchCondition): number {
  switch (anyOf[0]?.kind) {
    case 'token':
      if (parameter.code.startsWith('identifier')) return anyOf.every((m) => m.kind === 'token' && m.code) ? 1 : BROAD;
      return BROAD;
    case 'reference':
      return 2;
    case 'uri':
      return 3;
    case 'string':
      return anyOf.every((match) => match.kind === 'string' && NARROW.has(match.mode)) ? 4 : BROAD + 2;
    default:
      return 5;
  }
}

function worst(all: readonly (number | undefined)[], more: number): number | undefined {
  let result = 0;
  for (const each of all) {
    if (each === undefined) return undefined;
    result = Math.max(result, each);
  }
  return result + more;
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

/**
 * `SELECT … AS rid` of the rows that fulfil a condition, perhaps some twice.
 * @param type of the resources looked for; needed where only `resource` knows the answer
 * @returns undefined when the index cannot list them
 */
export function candidatesSql(
  condition: Condition,
  type: string | undefined,
  ids: ParameterIds,
  depth = 0,
): Fragment | undefined {
  if (breadth(condition) === undefined) return undefined;
  const x = raw(`s${depth}`);
  const p = raw(`p${depth}`);
  switch (condition.kind) {
    case 'match': {
      const table = tableOf(condition.anyOf[0]?.kind ?? 'token');
      const parameter = sql`${x}.parameter = ${ids.idOf(condition.parameter)}`;
      // The parameter is repeated in every alternative: each then has its own index range.
      const ways = valuesSql(condition.anyOf, x, ids.dialect).map((values) => sql`(${parameter} AND ${values})`);
      return sql`SELECT ${x}.rid AS rid FROM ${table} ${x} WHERE ${or(ways)}`;
    }
    case 'composite':
      return join(
        condition.anyOf.map((values) => {
          const aliases = values.map((_, i) => raw(`k${depth}_${i}`));
          const first = aliases[0] ?? x;
          const from = values.map((match, i) => `${tableOf(match.kind).text} k${depth}_${i}`).join(' CROSS JOIN ');
          const parts = values.map((match, i) => componentSql(condition, match, i, aliases[i] ?? first, first, ids));
          return sql`SELECT ${first}.rid AS rid FROM ${raw(from)} WHERE ${and(parts)}`;
        }),
        ' UNION ALL ',
      );
    case 'missing':
      return join(
        kindsOf(condition).map(
          (kind) => sql`SELECT ${x}.rid AS rid FROM ${tableOf(kind)} ${x}
            WHERE ${x}.parameter = ${ids.idOf(condition.parameter)}`,
        ),
        ' UNION ALL ',
      );
    case 'compartment': {
      const parameters = condition.parameters.map((key) => ids.idOf(key));
      const sets: Fragment[] = [];
      if (parameters.length > 0) {
        sets.push(sql`SELECT ${x}.rid AS rid FROM search_reference ${x} WHERE ${x}.parameter ${among(parameters)}
          AND ${x}.target_id = ${condition.id} AND ${x}.target_type = 'Patient'`);
      }
      if (condition.self || sets.length === 0) {
        const self = condition.self ? condition.id : '';
        sets.push(sql`SELECT ${p}.rid AS rid FROM resource ${p} WHERE ${p}.type = 'Patient' AND ${p}.id = ${self}`);
      }
      return join(sets, ' UNION ALL ');
    }
    case 'words':
      return wordsSql(condition, ids.dialect);
    case 'near':
      return nearSql(condition, ids, depth);
    case 'hierarchy':
      return hierarchySql(condition, ids, depth);
    case 'id':
    case 'updated':
      if (type === undefined) return undefined;
      return sql`SELECT ${p}.rid AS rid FROM resource ${p} WHERE ${p}.type = ${type} AND ${p}.deleted = 0
        AND ${condition.kind === 'id' ? conditionSql(condition, p, ids) : or(condition.anyOf.map((m) => lastUpdatedSql(m, p)))}`;
    case 'chain':
      return join(
        condition.targets.flatMap(({ type: target, condition: inner, named }) => {
          const wanted = fulfils(inner, target, p, ids, depth + 1);
          const refers = sql`SELECT ${x}.rid AS rid FROM search_reference ${x} WHERE
            ${x}.parameter = ${ids.idOf(condition.parameter)}`;
          const there = sql`${p}.type = ${target} AND ${p}.deleted = 0 AND ${wanted}`;
          const ways = [
            sql`${refers} AND ${x}.target_type = ${target} AND ${x}.target_id IN
              (SELECT ${p}.id FROM resource ${p} WHERE ${there})`,
          ];
          if (named) {
            const u = raw(`u${depth}`);
            ways.push(sql`${refers} AND ${x}.target_type = '' AND ${x}.target_id IN (SELECT ${u}.value
              FROM search_uri ${u} CROSS JOIN resource ${p}
              WHERE ${u}.parameter = ${ids.idOf(named)} AND ${p}.rid = ${u}.rid AND ${there})`);
          }
          return ways;
        }),
        ' UNION ALL ',
      );
    case 'has': {
      if (type === undefined) return undefined;
      const referrers = candidatesSql(condition.condition, condition.type, ids, depth + 1);
      if (!referrers) return undefined;
      // A join and no IN: who counts the first two thousand then reads no more than those.
      const from = sql`(${referrers}) ${raw(`q${depth}`)} CROSS JOIN search_reference ${x}`;
      const refers = sql`${x}.rid = ${raw(`q${depth}`)}.rid AND ${x}.parameter = ${ids.idOf(condition.parameter)}`;
      const ways = [
        sql`SELECT ${p}.rid AS rid FROM ${from} CROSS JOIN resource ${p} WHERE ${refers}
          AND ${x}.target_type = ${type} AND ${p}.type = ${type} AND ${p}.id = ${x}.target_id`,
      ];
      if (condition.named.length > 0) {
        const u = raw(`u${depth}`);
        ways.push(sql`SELECT ${u}.rid AS rid FROM ${from} CROSS JOIN search_uri ${u} WHERE ${refers}
          AND ${x}.target_type = '' AND ${u}.parameter ${among(condition.named.map((key) => ids.idOf(key)))}
          AND ${u}.value = ${x}.target_id`);
      }
      return join(ways, ' UNION ALL ');
    }
    case 'members': {
      const patients = candidatesSql(condition.patients, 'Patient', ids, depth + 1);
      if (!patients) return undefined;
      const q = raw(`q${depth}`);
      const found = sql`(SELECT ${p}.rid AS rid, ${p}.id AS id FROM (${patients}) ${q}
        CROSS JOIN resource ${p} WHERE ${p}.rid = ${q}.rid AND ${p}.type = ${'Patient'} AND ${p}.deleted = 0)`;
      const parameters = condition.parameters.map((key) => ids.idOf(key));
      const sets: Fragment[] = [];
      if (parameters.length > 0) {
        sets.push(sql`SELECT ${x}.rid AS rid FROM ${found} c${raw(String(depth))} CROSS JOIN search_reference ${x}
          WHERE ${x}.parameter ${among(parameters)} AND ${x}.target_id = c${raw(String(depth))}.id
          AND ${x}.target_type = ${'Patient'}`);
      }
      if (condition.self || sets.length === 0) {
        sets.push(sql`SELECT c${raw(String(depth))}.rid AS rid FROM ${found} c${raw(String(depth))}
          WHERE ${raw(condition.self ? '1 = 1' : '1 = 0')}`);
      }
      return join(sets, ' UNION ALL ');
    }
    case 'any': {
      const sets = condition.of.map((child) => candidatesSql(child, type, ids, depth + 1));
      return sets.every((set) => set !== undefined) ? join(sets, ' UNION ALL ') : undefined;
    }
    case 'all': {
      const [best] = [...condition.of].sort((a, b) => (breadth(a) ?? 99) - (breadth(b) ?? 99));
      const set = best && candidatesSql(best, type, ids, depth + 1);
      if (!set) return undefined;
      return sql`SELECT ${p}.rid AS rid FROM (${set}) ${x} CROSS JOIN resource ${p} WHERE ${p}.rid = ${x}.rid
        AND ${conditionSql(condition, p, ids, depth + 1)}`;
    }
    default:
      return undefined;
  }
}

/** The best predicate on `row`, a resource of `type`, for a nested condition. */
function fulfils(condition: Condition, type: string, row: Fragment, ids: ParameterIds, depth: number): Fragment {
  if (condition.kind === 'id') return conditionSql(condition, row, ids, depth);
  const set = candidatesSql(condition, type, ids, depth);
  return set ? sql`${row}.rid IN (${set})` : conditionSql(condition, row, ids, depth);
}
