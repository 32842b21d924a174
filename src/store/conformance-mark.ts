// Two settings that tell every process on the database by which guides, and by which search parameters, resources are to
// be checked and indexed now. A commit made by others would leave gaps in the index, so a process looks before each.
import { randomUUID } from 'node:crypto';
import { Fault } from '../fault.ts';
import type { Sql } from './sql.ts';
import type { Statement } from './store.ts';

const GUIDES = 'guides';
const PARAMETERS = 'search-parameters';
const READ = `SELECT (SELECT value FROM setting WHERE key = '${GUIDES}') AS guides,
  (SELECT value FROM setting WHERE key = '${PARAMETERS}') AS parameters`;
const WRITE = 'INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value';

export interface ConformanceMark {
  /** Changes whenever a guide is added or removed; '' before the first. */
  readonly guides: string;
  /** Fingerprint of the search parameters that resources are indexed by. */
  readonly parameters: string;
}

export async function readMark(sql: Pick<Sql, 'all'>): Promise<ConformanceMark> {
  const [row] = await sql.all(READ);
  return { guides: String(row?.guides ?? ''), parameters: String(row?.parameters ?? '') };
}

/** For `alongside` of a change of the guides: every process loads them anew before it commits again. */
export function markGuidesChanged(): Statement {
  return { sql: WRITE, params: [GUIDES, randomUUID()] };
}

export async function markParameters(tx: Sql, fingerprint: string): Promise<void> {
  await tx.run(WRITE, [PARAMETERS, fingerprint]);
}

/** Thrown inside a transaction that must be tried again after the guides have been loaded anew. */
export class Outdated extends Fault {
  constructor() {
    super('unavailable', 'The installed guides have just changed; try again.');
  }
}

/** @throws Outdated, or Fault unavailable when another Baton on this database indexes by other search parameters */
export function checkMark(stored: ConformanceMark, own: ConformanceMark): void {
  if (stored.guides !== own.guides) throw new Outdated();
  if (stored.parameters === own.parameters) return;
  throw new Fault(
    'unavailable',
    'Another Baton on this database was started with other search parameters. Run the same version, with the same ' +
      'profiles/, everywhere, and restart this one; until then it does not write.',
  );
}
