// What keeps one resource from an asker, for the person who may know, and for sync, which waits until it changes.
import { END_OF_TIME } from '../../fhir/search/date-range.ts';
import type { WithheldCondition } from '../../fhir/search/query.ts';
import type { Sql } from '../sql.ts';
import type { Withholding } from '../store.ts';
import { amongTexts, type Fragment, raw, sql } from './fragment.ts';
import type { ParameterIds } from './parameter-ids.ts';
import { denyingConsentsSql, patientsSql, unreleasedLabelsSql, withheldSql } from './withheld-sql.ts';

const ROW = raw('r');
const NOT_WITHHELD: Withholding = { withheld: false, consents: [], labels: [], patients: [] };

/** One statement when it is not withheld. */
export async function readWithholding(
  db: Sql,
  rid: number,
  condition: WithheldCondition,
  ids: ParameterIds,
): Promise<Withholding> {
  const all = ({ text, params }: Fragment) => db.all(text, params);
  const itself = sql`r.rid = ${rid} AND r.deleted = 0`;
  const found = await all(sql`SELECT 1 FROM resource r WHERE ${itself} AND ${withheldSql(condition, ROW, ids, 0)}`);
  if (found.length === 0) return NOT_WITHHELD;
  const people = await all(patientsSql(condition, rid, ids));
  const patients = people.map(({ id }) => String(id)).toSorted();
  const consents = patients.length === 0 ? [] : await all(denyingConsentsSql(condition, rid, patients, ids));
  const labels =
    condition.needPermit.length === 0
      ? []
      : await all(sql`SELECT DISTINCT f.system, f.code FROM resource r
          JOIN search_token f ON f.rid = r.rid AND f.parameter = ${ids.idOf(condition.security)}
          WHERE ${itself} AND (f.system, f.code) IN (${unreleasedLabelsSql(condition, ROW, ids, 0)})
          ORDER BY f.system, f.code`);
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
  const { text, params } =
    sql`SELECT MIN(CASE WHEN d.valid_from > ${at} THEN d.valid_from ELSE d.valid_until END) AS next
    FROM consent_rule d WHERE d.patient ${amongTexts(patients, dialect)} AND d.valid_until > ${at}`;
  const [row] = patients.length === 0 ? [] : await db.all(text, params);
  const next = row?.next == null ? END_OF_TIME : Number(row.next);
  return next === END_OF_TIME ? undefined : next;
}
