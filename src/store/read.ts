// Reads of committed resources: the stored text goes out as it is. https://hl7.org/fhir/R4/http.html#read
import { Fault } from '../fault.ts';
import type { Label } from '../fhir/consent/label-order.ts';
import type { WithheldCondition } from '../fhir/search/query.ts';
import type { SearchEngine } from './search/engine.ts';
import { atMost } from './search/fragment.ts';
import { indexedText } from './search/indexed-text.ts';
import type { Sql } from './sql.ts';
import type { LogEntry, StoredVersion, Withholding } from './store.ts';
import { currentVersion, logEntry, storedVersion, VERSION_COLUMNS } from './stored.ts';

/** Columns of `resource` that `currentVersion` needs. */
export const READ_COLUMNS = 'type, id, version, sequence, updated, deleted, content, patients';
const READ = `SELECT ${READ_COLUMNS} FROM resource WHERE type = ? AND id = ?`;
const RID = `SELECT rid, CASE WHEN EXISTS (SELECT 1 FROM consent_rule) THEN 1 ELSE 0 END AS consents
  FROM resource WHERE type = ? AND id = ? AND deleted = 0`;
const VREAD = `SELECT ${VERSION_COLUMNS} FROM version WHERE type = ? AND id = ? AND version = ?`;
const LOG = `SELECT ${VERSION_COLUMNS}, actor, origin, kind, client FROM version WHERE sequence > ?`;
const HEAD = 'SELECT MAX(sequence) AS head FROM version';

/** More matches than Baton's own code should ever get from `find`. */
const FIND_LIMIT = 1_000;

export async function readResource(sql: Sql, type: string, id: string): Promise<StoredVersion | undefined> {
  const [row] = await sql.all(READ, [type, id]);
  return row && currentVersion(row);
}

/** One statement. Labels that are on no resource withhold nothing. */
export async function readMayWithhold(sql: Sql, labels: readonly Label[]): Promise<boolean> {
  const named = labels.map(() => '(t.system = ? AND t.code = ?)').join(' OR ');
  const labelled = `EXISTS (SELECT 1 FROM search_parameter p JOIN search_token t ON t.parameter = p.id
    WHERE p.type = 'Resource' AND p.code = '_security' AND (${named}))`;
  const either = ['EXISTS (SELECT 1 FROM consent_rule)', ...(labels.length > 0 ? [labelled] : [])].join(' OR ');
  const params = labels.flatMap(({ system, code }) => [indexedText(system), indexedText(code)]);
  const [row] = await sql.all(`SELECT CASE WHEN ${either} THEN 1 ELSE 0 END AS found`, params);
  return row?.found === 1;
}

export async function findWithholding(
  sql: Sql,
  searchEngine: SearchEngine,
  { type, id }: { readonly type: string; readonly id: string },
  condition: WithheldCondition,
): Promise<Withholding> {
  const [row] = await sql.all(RID, [type, id]);
  const matters = row?.consents === 1 || condition.needPermit.length > 0;
  if (!row || !matters) return { withheld: false, consents: [], labels: [], patients: [] };
  return searchEngine.withholding(sql, Number(row.rid), condition);
}

export async function readVersion(
  sql: Sql,
  type: string,
  id: string,
  versionId: string,
): Promise<StoredVersion | undefined> {
  if (!/^[1-9]\d{0,14}$/.test(versionId)) return undefined;
  const [row] = await sql.all(VREAD, [type, id, Number(versionId)]);
  return row && storedVersion(row);
}

/** Committed versions after `afterSequence`. Writers exclude each other, so a lower one never appears later. */
export async function readLog(sql: Sql, afterSequence: number, limit: number, type?: string): Promise<LogEntry[]> {
  const { text } = atMost(limit);
  const [only, params] = type === undefined ? ['', []] : [' AND type = ?', [type]];
  return (await sql.all(`${LOG}${only} ORDER BY sequence ${text}`, [afterSequence, ...params])).map(logEntry);
}

export async function readHead(sql: Sql): Promise<number> {
  const [row] = await sql.all(HEAD);
  return Number(row?.head ?? 0);
}

/**
 * Everything that matches, the least recently changed first.
 * @throws Fault invalid | too-large when more than 1,000 match
 */
export async function findAll(sql: Sql, searchEngine: SearchEngine, query: string): Promise<StoredVersion[]> {
  const parsed = searchEngine.parse(query);
  const wide = { ...parsed, count: FIND_LIMIT + 1, total: 'none', includes: [] } as const;
  const { items } = await searchEngine.run(sql, wide);
  if (items.length > FIND_LIMIT) {
    throw new Fault('too-large', `More than ${FIND_LIMIT} resources match ${parsed.type ?? 'the search'}.`);
  }
  return items.toSorted((a, b) => a.sequence - b.sequence);
}
