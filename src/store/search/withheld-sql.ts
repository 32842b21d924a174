// Consents and labels in SQL: whether a resource is withheld, and by what. A deny holds unless a permit that is a direct
// exception to it holds as well; of several consents each deny counts. docs/consent.md
import type { WithheldCondition } from '../../fhir/search/query.ts';
import { among, amongPadded, amongTexts, and, type Fragment, join, or, raw, sql } from './fragment.ts';
import { indexedText } from './indexed-text.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** A database without consents stops here: this is asked once for a statement, not for each resource. */
const ANY_RULE = raw('EXISTS (SELECT 1 FROM consent_rule)');

/** A purpose with the wider ones; undefined when the asker states none. */
type Purpose = readonly string[] | undefined;

/** A predicate on `row`, a row of `resource`. */
export function withheldSql(condition: WithheldCondition, row: Fragment, ids: ParameterIds, depth: number): Fragment {
  const d = raw(`d${depth}`);
  const denied = about(condition, row, ids, depth, (patient) => {
    const found = sql`SELECT 1 FROM consent_rule ${d} WHERE ${d}.patient = ${patient}`;
    return sql`${isOther(condition, patient)} AND EXISTS (${found} AND ${deniesSql(condition, row, ids, depth)})`;
  });
  const byConsent = sql`(${ANY_RULE} AND ${denied})`;
  if (condition.needPermit.length === 0) return byConsent;
  return sql`(${byConsent} OR EXISTS (${unreleasedLabelsSql(condition, row, ids, depth)}))`;
}

/** `SELECT id`: which consents of these patients, whom the resource `r` with this rid is about, deny. */
export function denyingConsentsSql(
  condition: WithheldCondition,
  rid: number,
  patients: readonly string[],
  ids: ParameterIds,
): Fragment {
  const patient = raw('d0.patient');
  return sql`SELECT DISTINCT c.id FROM resource r CROSS JOIN consent_rule d0 JOIN resource c ON c.rid = d0.rid
    WHERE r.rid = ${rid} AND ${patient} ${amongTexts(patients, ids.dialect)} AND ${isOther(condition, patient)}
    AND ${deniesSql(condition, raw('r'), ids, 0)} ORDER BY c.id`;
}

/** `SELECT system, code`: labels of the row that need a permit which somebody whom it is about has not given. */
export function unreleasedLabelsSql(
  condition: WithheldCondition,
  row: Fragment,
  ids: ParameterIds,
  depth: number,
): Fragment {
  const [l, p] = [raw(`l${depth}`), raw(`p${depth}`)];
  const needed = condition.needPermit.map(
    ({ system, code }) => sql`(${l}.system = ${indexedText(system)} AND ${l}.code = ${indexedText(code)})`,
  );
  const permit = (patient: Fragment, purpose: Purpose) => sql`EXISTS (SELECT 1 FROM consent_rule ${p}
    WHERE ${p}.patient = ${patient} AND ${p}.effect = 'permit' AND ${p}.alone = 1 AND ${p}.label_system = ${l}.system
    AND ${p}.label_code = ${l}.code AND ${limitsSql(condition, purpose, row, ids, depth, p, 'permit')})`;
  const lacksPermit = about(condition, row, ids, depth, (patient) => {
    const lacking = purposesOf(condition).map((purpose) => sql`NOT ${permit(patient, purpose)}`);
    return sql`${isOther(condition, patient)} AND ${or(lacking)}`;
  });
  const isAboutSomebody = about(condition, row, ids, depth, () => raw('1 = 1'));
  return sql`SELECT ${l}.system, ${l}.code FROM search_token ${l} WHERE ${l}.rid = ${row}.rid
    AND ${l}.parameter = ${ids.idOf(condition.security)} AND ${or(needed)}
    AND (NOT ${isAboutSomebody} OR ${lacksPermit})`;
}

/** `SELECT id`: the patients whom the resource is about. */
export function patientsSql({ parameters, self }: WithheldCondition, rid: number, ids: ParameterIds): Fragment {
  const sets: Fragment[] = [];
  if (self) sets.push(sql`SELECT id FROM resource WHERE rid = ${rid} AND type = 'Patient'`);
  if (parameters.length > 0) {
    sets.push(sql`SELECT target_id AS id FROM search_reference WHERE rid = ${rid}
      AND parameter ${among(parameters.map((key) => ids.idOf(key)))} AND target_type = 'Patient'`);
  }
  return sets.length > 0 ? join(sets, ' UNION ') : raw('SELECT id FROM resource WHERE 1 = 0');
}

/** True when what is given of a patient's id is true of one whom the row is about. */
function about(
  condition: WithheldCondition,
  row: Fragment,
  ids: ParameterIds,
  depth: number,
  predicate: (patient: Fragment) => Fragment,
): Fragment {
  const x = raw(`w${depth}`);
  const ways: Fragment[] = [];
  const parameters = condition.parameters.map((key) => ids.idOf(key));
  if (parameters.length > 0) {
    ways.push(sql`EXISTS (SELECT 1 FROM search_reference ${x} WHERE ${x}.rid = ${row}.rid
      AND ${x}.parameter ${among(parameters)} AND ${x}.target_type = 'Patient'
      AND ${predicate(raw(`${x.text}.target_id`))}${raw(ids.dialect === 'postgres' ? ' OFFSET 0' : '')})`);
  }
  if (condition.self) ways.push(sql`(${row}.type = 'Patient' AND ${predicate(raw(`${row.text}.id`))})`);
  return or(ways);
}

/** A consent is what a patient tells others: it keeps nothing from the patient. */
function isOther({ actors }: WithheldCondition, patient: Fragment): Fragment {
  const own = actors.filter((actor) => actor.startsWith('Patient/')).map((actor) => actor.slice('Patient/'.length));
  return own.length === 0 ? raw('1 = 1') : sql`NOT ${patient} ${amongPadded(own)}`;
}

/** The rule `d` denies one of the purposes, and no direct exception to it permits that. */
function deniesSql(condition: WithheldCondition, row: Fragment, ids: ParameterIds, depth: number): Fragment {
  const [d, e] = [raw(`d${depth}`), raw(`e${depth}`)];
  const ways = purposesOf(condition).map(
    (purpose) => sql`(${limitsSql(condition, purpose, row, ids, depth, d, 'deny')} AND NOT EXISTS (SELECT 1
      FROM consent_rule ${e} WHERE ${e}.rid = ${d}.rid AND ${e}.parent = ${d}.node AND ${e}.effect = 'permit'
      AND ${limitsSql(condition, purpose, row, ids, depth, e, 'permit')}))`,
  );
  return sql`${d}.effect = 'deny' AND ${or(ways)}`;
}

/** The rule is about this row, this asker and this time. What is not known of the asker fulfils a deny, never a permit. */
function limitsSql(
  { actors, at, security }: WithheldCondition,
  purpose: Purpose,
  row: Fragment,
  ids: ParameterIds,
  depth: number,
  rule: Fragment,
  effect: 'permit' | 'deny',
): Fragment {
  const t = raw(`t${depth}`);
  const parts = [
    sql`${rule}.valid_from <= ${at} AND ${rule}.valid_until > ${at}`,
    sql`${rule}.class IN ('*', ${row}.type)`,
    sql`${rule}.data IN ('*', ${row}.type || '/' || ${row}.id)`,
    sql`(${rule}.label_code = '*' OR EXISTS (SELECT 1 FROM search_token ${t} WHERE ${t}.rid = ${row}.rid
      AND ${t}.parameter = ${ids.idOf(security)} AND ${t}.system = ${rule}.label_system
      AND ${t}.code = ${rule}.label_code))`,
  ];
  const known = (column: string, values: readonly string[]) =>
    sql`${rule}.${raw(column)} ${amongPadded(['*', ...values.map(indexedText)])}`;
  if (effect === 'permit' || actors.length > 0) parts.push(known('actor', actors));
  if (effect === 'permit' || purpose) parts.push(known('purpose', purpose ?? []));
  return and(parts);
}

function purposesOf({ purposes }: WithheldCondition): readonly Purpose[] {
  return purposes.length === 0 ? [undefined] : purposes;
}
