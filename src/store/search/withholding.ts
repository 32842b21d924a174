// What keeps one resource from an asker, for the person who may know, and for sync, which waits until it changes.
import { END_OF_TIME } from '../../fhir/search/date-range.ts';
import type { IndexRows } from '../../fhir/search/index-rows.ts';
import type { WithheldCondition } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { Withholding } from '../store.ts';
import { amongTexts, type Fragment, raw, sql } from './fragment.ts';
import { indexedText } from './indexed-text.ts';
import type { ParameterIds } from './parameter-ids.ts';
import {
  denyingConsentsSql,
  patientsSql,
  type Question,
  REFERENCES,
  TOKENS,
  unreleasedLabelsSql,
  withheldSql,
} from './withheld-sql.ts';

/** One resource: as `FROM` and `WHERE` name it, and where its search values are. */
export interface Subject extends Pick<Question, 'references' | 'tokens'> {
  readonly from: Fragment;
  readonly where: Fragment;
}

const NOT_WITHHELD: Withholding = { withheld: false, consents: [], labels: [], patients: [] };

/** A current resource. */
export function storedSubject(rid: number): Subject {
  const where = sql`r.rid = ${rid} AND r.deleted = 0`;
  return { from: raw('resource r'), where, references: REFERENCES, tokens: TOKENS };
}

/**
 * A resource that is not stored as it is here: an old version, or one that is deleted or not written yet. Its search
 * values come along as JSON in the place of the tables.
 */
export function givenSubject(
  resource: { readonly resourceType: string; readonly id?: string },
  rows: IndexRows,
  condition: WithheldCondition,
  ids: ParameterIds,
): Subject {
  const parameters = new Set(condition.parameters.map((key) => ids.idOf(key)));
  const references = rows.reference.filter(
    ([parameter, , type]) => parameters.has(Number(parameter)) && type === 'Patient',
  );
  const tokens = rows.token.filter(([parameter]) => parameter === ids.idOf(condition.security));
  const { resourceType: type, id = '' } = resource;
  return {
    from: sql`(SELECT 0 AS rid, CAST(${type} AS TEXT) AS type, CAST(${id} AS TEXT) AS id) r`,
    where: raw('1 = 1'),
    references: valuesAs(references, 'target_type', 'target_id', ids),
    tokens: valuesAs(tokens, 'system', 'code', ids),
  };
}

/** Index rows (parameter, part and two texts) in the place of a table. */
function valuesAs(rows: IndexRows['token'], first: string, second: string, { dialect }: ParameterIds): Fragment {
  const json = JSON.stringify(
    rows.map(([parameter, , a, b]) => [parameter, indexedText(String(a)), indexedText(String(b))]),
  );
  if (dialect === 'sqlite') {
    return sql`(SELECT 0 AS rid, json_extract(value, '$[0]') AS parameter, json_extract(value, '$[1]') AS ${raw(first)},
      json_extract(value, '$[2]') AS ${raw(second)} FROM json_each(${json}))`;
  }
  return sql`(SELECT 0 AS rid, CAST(value ->> 0 AS INTEGER) AS parameter, value ->> 1 AS ${raw(first)},
    value ->> 2 AS ${raw(second)} FROM jsonb_array_elements(CAST(${json} AS JSONB)))`;
}

/** One statement when it is not withheld. */
export async function readWithholding(
  db: Sql,
  subject: Subject,
  condition: WithheldCondition,
  ids: ParameterIds,
): Promise<Withholding> {
  const { from, where, references, tokens } = subject;
  const question: Question = { condition, row: raw('r'), ids, depth: 0, references, tokens };
  const all = ({ text, params }: Fragment) => db.all(text, params);
  const found = await all(sql`SELECT 1 FROM ${from} WHERE ${where} AND ${withheldSql(question)}`);
  if (found.length === 0) return NOT_WITHHELD;
  const people = await all(patientsSql(question, from, where));
  const patients = people.map(({ id }) => String(id)).toSorted();
  const consents = patients.length === 0 ? [] : await all(denyingConsentsSql(question, patients, from, where));
  const labels =
    condition.needPermit.length === 0
      ? []
      : await all(sql`SELECT DISTINCT f.system, f.code FROM ${from}
          JOIN ${tokens} f ON f.rid = r.rid AND f.parameter = ${ids.idOf(condition.security)}
          WHERE ${where} AND (f.system, f.code) IN (${unreleasedLabelsSql(question)}) ORDER BY f.system, f.code`);
  const until = await nextChange(db, patients, condition.at, ids);
  return {
    withheld: true,
    consents: consents.map(({ id }) => String(id)),
    labels: labels.map(({ system, code }) => ({ system: String(system), code: String(code) })),
    patients,
    ...(until === undefined ? {} : { until }),
  };
}

/** When a rule of one of the patients begins or ends next, though nobody writes anything. */
async function nextChange(
  db: Sql,
  patients: readonly string[],
  at: number,
  { dialect }: ParameterIds,
): Promise<number | undefined> {
  if (patients.length === 0) return undefined;
  const next = sql`CASE WHEN d.valid_from > ${at} THEN d.valid_from ELSE d.valid_until END`;
  const { text, params } = sql`SELECT MIN(${next}) AS next FROM consent_rule d
    WHERE d.patient ${amongTexts(patients, dialect)} AND d.valid_until > ${at}`;
  const [row] = await db.all(text, params);
  return row?.next == null || Number(row.next) === END_OF_TIME ? undefined : Number(row.next);
}
