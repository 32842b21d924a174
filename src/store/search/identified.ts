// Resources by their business identifiers, of many types in one statement: what intake asks of every message. A search by
// `identifier=` finds the same, and is parsed and planned each time.
import { Fault } from '../../fault.ts';
import type { Sql } from '../sql.ts';
import type { AskedIdentifier, StoredVersion } from '../store.ts';
import { foundRow } from './found-rows.ts';
import { atMost } from './fragment.ts';
import { indexedText } from './indexed-text.ts';
import type { ParameterIds } from './parameter-ids.ts';

/** More matches than any message means. */
const LIMIT = 1_000;
/** Statements are cut into pieces of so many, which are the same text each time. */
const MOST = 20;

const ARM = `SELECT r.rid, r.type, r.id, r.version, r.sequence, r.updated, r.content
  FROM search_token d CROSS JOIN resource r
  WHERE d.parameter = ? AND d.code = ? AND d.system = ? AND d.part = 0 AND r.rid = d.rid AND r.deleted = 0`;
const arms = (count: number) => Array.from({ length: count }, () => ARM).join(' UNION ALL ');
/** By how many rows are wanted, which are part of the text as `atMost` tells, and how many identifiers are asked for. */
const texts = new Map<number, readonly string[]>();

/**
 * The current resources that have one of the identifiers, each once, the least recently changed first.
 * @param most when given, so many of them; otherwise more than a thousand are refused
 */
export async function findIdentified(
  sql: Sql,
  asked: readonly AskedIdentifier[],
  ids: ParameterIds,
  most = LIMIT + 1,
): Promise<StoredVersion[]> {
  const found = new Map<number, StoredVersion>();
  for (let start = 0; start < asked.length; start += MOST) {
    const some = asked.slice(start, start + MOST);
    const params = some.flatMap(({ type, system, value }) => [
      ids.idOf({ type, code: 'identifier' }),
      indexedText(value),
      indexedText(system),
    ]);
    for (const row of await sql.all(textsFor(most)[some.length] ?? '', params)) {
      const { rid, version } = foundRow(row);
      found.set(rid, version);
    }
  }
  if (found.size > LIMIT) throw new Fault('too-large', `More than ${LIMIT} resources have one of the identifiers.`);
  return [...found.values()].sort((one, other) => one.sequence - other.sequence);
}

function textsFor(most: number): readonly string[] {
  const known = texts.get(most);
  if (known) return known;
  const { text: limit } = atMost(most);
  const made = Array.from({ length: MOST + 1 }, (_, count) => `${arms(count)} ${limit}`);
  texts.set(most, made);
  return made;
}
