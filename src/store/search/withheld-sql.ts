// Consents and labels in SQL: whether a resource is withheld, and by what. A deny holds unless a permit that is a direct
// exception to it holds as well; of several consents each deny counts. docs/consent.md
import type { WithheldCondition } from '../../fhir/search/query.ts';
import { among, amongPadded, amongTexts, and, type Fragment, or, raw, sql } from './fragment.ts';
import { indexedText } from './indexed-text.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** Which resources are asked about. */
export interface Question {
  readonly condition: WithheldCondition;
  /** Alias with the columns rid, type and id. */
  readonly row: Fragment;
  readonly ids: ParameterIds;
  /** Makes the aliases of nested subqueries different. */
  readonly depth: number;
}

/** A database without consents stops here: this is asked once for a statement, not for each resource. */
const ANY_RULE = raw('EXISTS (SELECT 1 FROM consent_rule)');

/** A purpose with the wider ones; undefined when the asker states none. */
type Purpose = readonly string[] | undefined;

/** A predicate on the row. */
export function withheldSql(question: Question): Fragment {
  const { condition, depth } = question;
  const d = raw(`d${depth}`);
  const denied = about(question, (patient) => {
    const found = sql`SELECT 1 FROM consent_rule ${d} WHERE ${d}.patient = ${patient}`;
    return sql`${isOther(condition, patient)} AND EXISTS (${found} AND ${deniesSql(question)})`;
  });
  const byConsent = sql`(${ANY_RULE} AND ${denied})`;
  if (condition.needPermit.length === 0) return byConsent;
  return sql`(${byConsent} OR EXISTS (${unreleasedLabelsSql(question)}))`;
}

/**
 * `SELECT id`: which consents deny, of the patients whom the resource is about.
 * @param itself which row it is, as `WHERE` says it
 */
export function denyingConsentsSql(question: Question, patients: readonly string[], itself: Fragment): Fragment {
  const d = raw(`d${question.depth}`);
  const patient = sql`${d}.patient`;
  return sql`SELECT DISTINCT c.id FROM resource ${question.row} CROSS JOIN consent_rule ${d} JOIN resource c ON c.rid = ${d}.rid
    WHERE ${itself} AND ${patient} ${amongTexts(patients, question.ids.dialect)}
    AND ${isOther(question.condition, patient)} AND ${deniesSql(question)} ORDER BY c.id`;
}

/** `SELECT system, code`: labels of the row that need a permit which somebody whom it is about has not given. */
export function unreleasedLabelsSql(question: Question): Fragment {
  const { condition, row, ids, depth } = question;
  const [l, p] = [raw(`l${depth}`), raw(`p${depth}`)];
  const needed = condition.needPermit.map(
    ({ system, code }) => sql`(${l}.system = ${indexedText(system)} AND ${l}.code = ${indexedText(code)})`,
  );
  const permit = (patient: Fragment, purpose: Purpose) => sql`EXISTS (SELECT 1 FROM consent_rule ${p}
    WHERE ${p}.patient = ${patient} AND ${p}.effect = 'permit' AND ${p}.alone = 1 AND ${p}.label_system = ${l}.system
    AND ${p}.label_code = ${l}.code AND ${limitsSql(question, purpose, p, 'permit')})`;
  const lacksPermit = about(question, (patient) => {
    const lacking = purposesOf(condition).map((purpose) => sql`NOT ${permit(patient, purpose)}`);
    return sql`${isOther(condition, patient)} AND ${or(lacking)}`;
  });
  const isAboutSomebody = about(question, () => raw('1 = 1'));
  return sql`SELECT ${l}.system, ${l}.code FROM search_token ${l} WHERE ${l}.rid = ${row}.rid
    AND ${l}.parameter = ${ids.idOf(condition.security)} AND ${or(needed)}
    AND (NOT ${isAboutSomebody} OR ${lacksPermit})`;
}

/** `SELECT id`: the patients whom the row is about. */
export function patientsSql({ condition, row, ids }: Question, itself: Fragment): Fragment {
  const parameters = condition.parameters.map((key) => ids.idOf(key));
  const self = condition.self ? raw("'Patient'") : raw("''");
  const own = sql`SELECT ${row}.id AS id FROM resource ${row} WHERE ${itself} AND ${row}.type = ${self}`;
  if (parameters.length === 0) return own;
  return sql`${own} UNION SELECT x.target_id AS id FROM resource ${row} JOIN search_reference x ON x.rid = ${row}.rid
    WHERE ${itself} AND x.parameter ${among(parameters)} AND x.target_type = 'Patient'`;
}

/** True when what is given of a patient's id is true of one whom the row is about. */
function about({ condition, row, ids, depth }: Question, predicate: (patient: Fragment) => Fragment): Fragment {
  const x = raw(`w${depth}`);
  const ways: Fragment[] = [];
  const parameters = condition.parameters.map((key) => ids.idOf(key));
  if (parameters.length > 0) {
    ways.push(sql`EXISTS (SELECT 1 FROM search_reference ${x} WHERE ${x}.rid = ${row}.rid
      AND ${x}.parameter ${among(parameters)} AND ${x}.target_type = 'Patient'
      AND ${predicate(sql`${x}.target_id`)}${raw(ids.dialect === 'postgres' ? ' OFFSET 0' : '')})`);
  }
  if (condition.self) ways.push(sql`(${row}.type = 'Patient' AND ${predicate(sql`${row}.id`)})`);
  return or(ways);
}

/** A consent is what a patient tells others: it keeps nothing from the patient. */
function isOther({ actors }: WithheldCondition, patient: Fragment): Fragment {
  const own = actors.filter((actor) => actor.startsWith('Patient/')).map((actor) => actor.slice('Patient/'.length));
  return own.length === 0 ? raw('1 = 1') : sql`NOT ${patient} ${amongPadded(own)}`;
}

/** The rule `d` denies one of the purposes, and no direct exception to it permits that. */
function deniesSql(question: Question): Fragment {
  const [d, e] = [raw(`d${question.depth}`), raw(`e${question.depth}`)];
  const ways = purposesOf(question.condition).map(
    (purpose) => sql`(${limitsSql(question, purpose, d, 'deny')} AND NOT EXISTS (SELECT 1
      FROM consent_rule ${e} WHERE ${e}.rid = ${d}.rid AND ${e}.parent = ${d}.node AND ${e}.effect = 'permit'
      AND ${limitsSql(question, purpose, e, 'permit')}))`,
  );
  return sql`${d}.effect = 'deny' AND ${or(ways)}`;
}

/** The rule is about this row, this asker and this time. What is not known of the asker fulfils a deny, never a permit. */
function limitsSql(
  { condition, row, ids, depth }: Question,
  purpose: Purpose,
  rule: Fragment,
  effect: 'permit' | 'deny',
): Fragment {
  const { actors, at, security } = condition;
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
