// A condition as a predicate on a row of `resource`, asked per candidate: "does this resource have …".
import type {
  ChainTarget,
  CompositeCondition,
  Condition,
  MatchCondition,
  MembersCondition,
  ParameterKey,
  ValueKind,
  ValueMatch,
} from '../../fhir/search/query.ts';
import { among, amongTexts, and, FALSE, type Fragment, or, raw, sql, TRUE } from './fragment.ts';
import { wordsSql } from './full-text.ts';
import { hierarchySql } from './hierarchy-sql.ts';
import { lastUpdatedSql } from './last-updated-sql.ts';
import { isNearSql } from './near-sql.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { tableOf, unitSql, valueSql, valuesSql } from './value-sql.ts';
import { withheldSql } from './withheld-sql.ts';

/** @param depth makes the aliases of nested subqueries different */
export function conditionSql(condition: Condition, row: Fragment, ids: ParameterIds, depth = 0): Fragment {
  const inner = (child: Condition, alias: Fragment) => conditionSql(child, alias, ids, depth + 1);
  const x = raw(`x${depth}`);
  const other = raw(`o${depth}`);
  switch (condition.kind) {
    case 'match': {
      const found = or(matchSql(condition, row, x, ids));
      return condition.negated ? sql`NOT ${found}` : found;
    }
    case 'composite':
      return compositeSql(condition, row, depth, ids);
    case 'missing': {
      const ofParameter = sql`${x}.parameter = ${ids.idOf(condition.parameter)}`;
      const has = or(kindsOf(condition).map((kind) => existsSql(kind, row, x, ofParameter, ids)));
      return condition.missing ? sql`NOT ${has}` : has;
    }
    case 'id':
      if (condition.ids.length === 0) return condition.negated ? TRUE : FALSE;
      return sql`${raw(condition.negated ? 'NOT ' : '')}${row}.id ${amongTexts(condition.ids, ids.dialect)}`;
    case 'type':
      return condition.types.length === 0 ? FALSE : sql`${row}.type ${among(condition.types)}`;
    case 'updated':
      return or(condition.anyOf.map((match) => lastUpdatedSql(match, row)));
    case 'chain':
      return or(condition.targets.flatMap((target) => linksSql(condition.parameter, target, row, depth, ids)));
    case 'has': {
      const refers = sql`${x}.parameter = ${ids.idOf(condition.parameter)} AND ${inner(condition.condition, other)}`;
      const ways = [
        sql`EXISTS (SELECT 1 FROM search_reference ${x} JOIN resource ${other} ON ${other}.rid = ${x}.rid
          WHERE ${x}.target_id = ${row}.id AND ${x}.target_type = ${row}.type AND ${refers})`,
      ];
      if (condition.named.length > 0) {
        const u = raw(`u${depth}`);
        ways.push(sql`EXISTS (SELECT 1 FROM search_uri ${u} CROSS JOIN search_reference ${x}
          JOIN resource ${other} ON ${other}.rid = ${x}.rid
          WHERE ${u}.rid = ${row}.rid AND ${u}.parameter ${among(condition.named.map((key) => ids.idOf(key)))}
          AND ${x}.target_id = ${u}.value AND ${x}.target_type = '' AND ${refers})`);
      }
      return or(ways);
    }
    case 'compartment':
      return compartmentSql(condition, row, x, ids);
    case 'members':
      return membersSql(condition, row, depth, ids);
    case 'words':
      return sql`EXISTS (${wordsSql(condition, ids.dialect, row)})`;
    case 'near':
      return isNearSql(condition, row, ids, depth);
    case 'hierarchy':
      return sql`${row}.rid IN (${hierarchySql(condition, ids, depth)})`;
    case 'withheld':
      return withheldSql({ condition, row, ids, depth });
    case 'not':
      return sql`NOT (${inner(condition.of, row)})`;
    case 'any':
      return or(condition.of.map((child) => inner(child, row)));
    case 'all':
      return sql`(${and(condition.of.map((child) => inner(child, row)))})`;
  }
}

/** Ways that lead from `row` to a resource of the target's type: by its id and, of canonicals, by its URL. */
function linksSql(
  parameter: ParameterKey,
  { type, condition, named }: ChainTarget,
  row: Fragment,
  depth: number,
  ids: ParameterIds,
): Fragment[] {
  const [x, u, other] = [raw(`x${depth}`), raw(`u${depth}`), raw(`o${depth}`)];
  const refers = sql`${x}.rid = ${row}.rid AND ${x}.parameter = ${ids.idOf(parameter)}`;
  const wanted = sql`${other}.deleted = 0 AND ${conditionSql(condition, other, ids, depth + 1)}`;
  const byId = sql`EXISTS (SELECT 1 FROM search_reference ${x} JOIN resource ${other}
    ON ${other}.type = ${x}.target_type AND ${other}.id = ${x}.target_id
    WHERE ${refers} AND ${x}.target_type = ${type} AND ${wanted})`;
  if (!named) return [byId];
  const byUrl = sql`EXISTS (SELECT 1 FROM search_reference ${x} CROSS JOIN search_uri ${u}
    JOIN resource ${other} ON ${other}.rid = ${u}.rid
    WHERE ${refers} AND ${x}.target_type = '' AND ${u}.parameter = ${ids.idOf(named)}
    AND ${u}.value = ${x}.target_id AND ${wanted})`;
  return [byId, byUrl];
}

/** Where the values of a parameter may be: an empty token stands for one that has nothing to compare with. */
export function kindsOf({ values }: Extract<Condition, { kind: 'missing' }>): ValueKind[] {
  return values === 'token' || values === 'reference' ? [values] : [values, 'token'];
}

type CompartmentCondition = Extract<Condition, { kind: 'compartment' }>;

function compartmentSql(condition: CompartmentCondition, row: Fragment, x: Fragment, ids: ParameterIds): Fragment {
  const ways: Fragment[] = [];
  const parameters = condition.parameters.map((key) => ids.idOf(key));
  if (parameters.length > 0) {
    const target = sql`${x}.target_type = ${'Patient'} AND ${x}.target_id = ${condition.id}`;
    ways.push(existsSql('reference', row, x, sql`${x}.parameter ${among(parameters)} AND ${target}`, ids));
  }
  if (condition.self) ways.push(sql`(${row}.type = ${'Patient'} AND ${row}.id = ${condition.id})`);
  return or(ways);
}

function membersSql(condition: MembersCondition, row: Fragment, depth: number, ids: ParameterIds): Fragment {
  const [x, other] = [raw(`x${depth}`), raw(`o${depth}`)];
  const ways: Fragment[] = [];
  const parameters = condition.parameters.map((key) => ids.idOf(key));
  if (parameters.length > 0) {
    ways.push(sql`EXISTS (SELECT 1 FROM search_reference ${x} JOIN resource ${other}
      ON ${other}.type = ${'Patient'} AND ${other}.id = ${x}.target_id
      WHERE ${x}.rid = ${row}.rid AND ${x}.parameter ${among(parameters)} AND ${x}.target_type = ${'Patient'}
      AND ${other}.deleted = 0 AND ${conditionSql(condition.patients, other, ids, depth + 1)})`);
  }
  if (condition.self) {
    ways.push(sql`(${row}.type = ${'Patient'} AND ${conditionSql(condition.patients, row, ids, depth + 1)})`);
  }
  return or(ways);
}

/** One predicate per way to match: the plain values together, each `ne` by itself. */
function matchSql(condition: MatchCondition, row: Fragment, x: Fragment, ids: ParameterIds): Fragment[] {
  const kind = condition.anyOf[0]?.kind ?? 'token';
  const parameter = ofOneResource(kind, x, ids.idOf(condition.parameter));
  const plain = condition.anyOf.filter((match) => !isNotEqual(match));
  const found: Fragment[] = [];
  const [first] = plain;
  if (first) {
    const values = or(valuesSql(plain, x, ids.dialect, true).map((alternative) => sql`(${alternative})`));
    found.push(existsSql(first.kind, row, x, sql`${parameter} AND ${values}`, ids));
  }
  // Of several values of a resource one may be equal and another not: `ne` is the complement of `eq`.
  for (const match of condition.anyOf.filter(isNotEqual)) {
    const comparable = match.kind === 'quantity' ? sql`${parameter} AND ${unitSql(match, x)}` : parameter;
    const equal = sql`${parameter} AND ${valueSql({ ...match, prefix: 'eq' }, x)}`;
    const has = existsSql(match.kind, row, x, comparable, ids);
    found.push(sql`(${has} AND NOT ${existsSql(match.kind, row, x, equal, ids)})`);
  }
  return found;
}

type NotEqual = Extract<ValueMatch, { prefix: unknown }>;

export function isNotEqual(match: ValueMatch): match is NotEqual {
  return 'prefix' in match && match.prefix === 'ne';
}

/**
 * The parameter of a value that is asked for one resource at a time. Where the value is a range, SQLite would walk the
 * index of all resources' values for every candidate; an expression keeps it from that, and leaves the primary key.
 */
function ofOneResource(kind: ValueMatch['kind'], row: Fragment, parameter: number): Fragment {
  const isExact = kind === 'token' || kind === 'reference';
  return isExact ? sql`${row}.parameter = ${parameter}` : sql`${row}.parameter + 0 = ${parameter}`;
}

function existsSql(
  kind: ValueMatch['kind'],
  row: Fragment,
  x: Fragment,
  predicate: Fragment,
  ids: ParameterIds,
): Fragment {
  const found = sql`SELECT 1 FROM ${tableOf(kind)} ${x} WHERE ${x}.rid = ${row}.rid AND ${predicate}`;
  return sql`EXISTS (${found}${asked(ids)})`;
}

/**
 * PostgreSQL would turn the question into a join, and a plan made for any values then collects those of all resources;
 * OFFSET keeps it a question that is asked for each candidate.
 */
function asked(ids: ParameterIds): Fragment {
  return raw(ids.dialect === 'postgres' ? ' OFFSET 0' : '');
}

/** All components in rows of the same part. */
function compositeSql(condition: CompositeCondition, row: Fragment, depth: number, ids: ParameterIds): Fragment {
  return or(
    condition.anyOf.map((values) => {
      const aliases = values.map((_, i) => raw(`c${depth}_${i}`));
      const [first] = aliases;
      if (!first) return FALSE;
      const tables = values.map((match, i) => sql`${tableOf(match.kind)} ${aliases[i] ?? first}`);
      const predicates = values.map((match, i) => componentSql(condition, match, i, aliases[i] ?? first, first, ids));
      const from = tables.map((table) => table.text).join(' CROSS JOIN ');
      return sql`EXISTS (SELECT 1 FROM ${raw(from)} WHERE ${first}.rid = ${row}.rid AND ${and(predicates)}${asked(ids)})`;
    }),
  );
}

/** One component's predicate on its alias, tied to the first component's row. */
export function componentSql(
  condition: CompositeCondition,
  match: ValueMatch,
  position: number,
  alias: Fragment,
  first: Fragment,
  ids: ParameterIds,
): Fragment {
  const key = condition.components[position];
  if (!key) return FALSE;
  const value = valueSql(match, alias);
  if (position === 0) return sql`${alias}.parameter = ${ids.idOf(key)} AND ${value}`;
  const parameter = ofOneResource(match.kind, alias, ids.idOf(key));
  return sql`${alias}.rid = ${first}.rid AND ${alias}.part = ${first}.part AND ${parameter} AND ${value}`;
}
