// The tags, security labels and profiles that current resources have, each once, from the search rows.
// https://hl7.org/fhir/R4/resource-operation-meta.html
import { Fault } from '../fault.ts';
import type { Sql } from './sql.ts';
import type { MetaInUse } from './store.ts';

/** More different ones than anybody can use in one answer. */
const MOST = 10_000;

const OF_TYPE = 'JOIN resource r ON r.rid = v.rid AND r.type = ?';
const select = (columns: string, table: string, codes: string, join: string) =>
  `SELECT DISTINCT p.code AS name, ${columns} FROM ${table} v JOIN search_parameter p ON p.id = v.parameter ${join}
    WHERE p.type = 'Resource' AND p.code IN (${codes}) ORDER BY 1, 2, 3 LIMIT ${MOST + 1}`;

/**
 * @param type absent: of all resources
 * @throws Fault too-large
 */
export async function readMetaInUse(sql: Sql, type?: string): Promise<MetaInUse> {
  const join = type === undefined ? '' : OF_TYPE;
  const params = type === undefined ? [] : [type];
  const codings = await sql.all(select('v.system, v.code', 'search_token', "'_tag', '_security'", join), params);
  const profiles = await sql.all(select("v.value, '' AS none", 'search_uri', "'_profile'", join), params);
  if (Math.max(codings.length, profiles.length) > MOST) {
    throw new Fault('too-large', `More than ${MOST} tags, labels or profiles are in use.`, { code: 'too-costly' });
  }
  const named = (name: string) =>
    codings.filter((row) => row.name === name).map(({ system, code }) => coding(String(system), String(code)));
  return {
    profile: profiles.map(({ value }) => String(value)),
    security: named('_security'),
    tag: named('_tag'),
  };
}

const coding = (system: string, code: string) => ({ ...(system ? { system } : {}), ...(code ? { code } : {}) });
