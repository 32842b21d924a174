// Which parameters the stored resources are indexed by, and which are still to be: tables `search_index` and `reindex`.
import { type Fingerprints, fingerprintOfAll, fingerprints } from '../../fhir/search/fingerprint.ts';
import type { SearchParameters } from '../../fhir/search/parameters.ts';
import type { Sql } from '../sql.ts';

/** Resource type to the codes that its index does not have yet. */
export type Unindexed = ReadonlyMap<string, ReadonlySet<string>>;

export interface IndexState {
  /** Of all parameters together; two processes with the same one write the same search rows. */
  readonly fingerprint: string;
  readonly unindexed: Unindexed;
}

const STATE = `SELECT i.type, i.parameters, r.parameters AS missing FROM search_index i
  LEFT JOIN reindex r ON r.type = i.type`;
const MISSING = 'SELECT type, parameters FROM reindex';
const LAST = 'SELECT MAX(rid) AS rid FROM resource';
const HAS_ANY = 'SELECT rid FROM resource WHERE type = ? LIMIT 1';
const START = `INSERT INTO reindex (type, parameters, position, upto) VALUES (?, ?, 0, ?)
  ON CONFLICT (type) DO UPDATE SET parameters = excluded.parameters, position = 0, upto = excluded.upto`;
const CANCEL = 'DELETE FROM reindex WHERE type = ?';
/** Types per statement that records them. */
const BATCH = 50;

/**
 * Compares what the parameters ask for with what is indexed, and puts every type that lacks something on the list of
 * those to be indexed again. Must run in a write transaction, so that no resource is written meanwhile.
 */
export async function openIndexState(tx: Sql, parameters: SearchParameters): Promise<IndexState> {
  const wanted = fingerprints(parameters);
  const rows = new Map((await tx.all(STATE)).map((row) => [String(row.type), row]));
  const last = Number((await tx.all(LAST))[0]?.rid ?? 0);
  const records: [type: string, parameters: Fingerprints][] = [];
  for (const [type, prints] of wanted) {
    const row = rows.get(type);
    const indexed = parsed(row?.parameters);
    const missing = difference(prints, indexed);
    const planned = row?.missing === undefined || row.missing === null ? undefined : String(row.missing);
    if (Object.keys(missing).length === 0) {
      if (planned !== undefined) await tx.run(CANCEL, [type]);
      if (!row || String(row.parameters) !== JSON.stringify(prints)) records.push([type, prints]);
      continue;
    }
    if (planned === JSON.stringify(missing)) continue;
    if (last > 0 && (await tx.all(HAS_ANY, [type])).length > 0) {
      await tx.run(START, [type, JSON.stringify(missing), last]);
      // What is no longer asked for is not kept up, so it is forgotten.
      records.push([type, difference(prints, missing)]);
    } else {
      if (planned !== undefined) await tx.run(CANCEL, [type]);
      records.push([type, prints]);
    }
  }
  await record(tx, records);
  return { fingerprint: fingerprintOfAll(wanted), unindexed: await readUnindexed(tx) };
}

export async function readUnindexed(sql: Pick<Sql, 'all'>): Promise<Unindexed> {
  const rows = await sql.all(MISSING);
  return new Map(rows.map((row) => [String(row.type), new Set(Object.keys(parsed(row.parameters)))]));
}

/** Says that a type is indexed by these. */
export async function record(tx: Sql, records: readonly (readonly [string, Fingerprints])[]): Promise<void> {
  for (let at = 0; at < records.length; at += BATCH) {
    const some = records.slice(at, at + BATCH);
    await tx.run(
      `INSERT INTO search_index (type, parameters) VALUES ${some.map(() => '(?, ?)').join(', ')}
        ON CONFLICT (type) DO UPDATE SET parameters = excluded.parameters`,
      some.flatMap(([type, prints]) => [type, JSON.stringify(prints)]),
    );
  }
}

export function parsed(text: unknown): Fingerprints {
  return typeof text === 'string' ? (JSON.parse(text) as Fingerprints) : {};
}

/** What of `all` is not, or not the same, in `some`. */
function difference(all: Fingerprints, some: Fingerprints): Fingerprints {
  return Object.fromEntries(Object.entries(all).filter(([code, print]) => some[code] !== print));
}
