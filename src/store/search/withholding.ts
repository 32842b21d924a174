// What keeps one resource from an asker, for the person who may know, and for sync, which waits until it changes.
import { END_OF_TIME } from '../../fhir/search/date-range.ts';
import type { WithheldCondition } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { Withholding } from '../store.ts';
import { amongTexts, type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { denyingConsentsSql, patientsSql, type Question, unreleasedLabelsSql, withheldSql } from './withheld-sql.ts';

const NOT_WITHHELD: Withholding = { withheld: false, consents: [], labels: [], patients: [] };

/** Of a current resource. One statement when it is not withheld. */
export async function readWithholding(
  db: Sql,
  rid: number,
  condition: WithheldCondition,
  ids: ParameterIds,
): Promise<Withholding> {
  const question: Question = { condition, row: raw('r'), ids, depth: 0 };
  const itself = sql`r.rid = ${rid} AND r.deleted = 0`;
  const all = ({ text, params }: Fragment) => db.all(text, params);
  const found = await all(sql`SELECT 1 FROM resource r WHERE ${itself} AND ${withheldSql(question)}`);
  if (found.length === 0) return NOT_WITHHELD;
  const people = await all(patientsSql(question, itself));
  const patients = people.map(({ id }) => String(id)).toSorted();
  const consents = patients.length === 0 ? [] : await all(denyingConsentsSql(question, patients, itself));
  const labels =
    condition.needPermit.length === 0
      ? []
      : await all(sql`SELECT DISTINCT f.system, f.code FROM resource r
          JOIN search_token f ON f.rid = r.rid AND f.parameter = ${ids.idOf(condition.security)}
          WHERE ${itself} AND (f.system, f.code) IN (${unreleasedLabelsSql(question)}) ORDER BY f.system, f.code`);
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
