// Single resources that are asked for before anything else has its turn (`Promise.all` of reads) are read by one statement a type:
// on a database behind a socket the way there and back costs more than the rows.
import { READ_COLUMNS } from './read.ts';
import type { Sql } from './sql.ts';
import type { StoredVersion } from './store.ts';
import { currentVersion } from './stored.ts';

/** Statements are prepared; these are all the lengths that their lists have. */
const LENGTHS = [1, 2, 4, 8, 16, 32, 64];
const MOST = Math.max(...LENGTHS);

type Read = (type: string, id: string) => Promise<StoredVersion | undefined>;
type Answer = PromiseWithResolvers<StoredVersion | undefined>;

export function readTogether(sql: Sql): Read {
  const asked = new Map<string, Map<string, Answer>>();
  return (type, id) => {
    if (asked.size === 0) queueMicrotask(send);
    const ofType = asked.get(type) ?? new Map<string, Answer>();
    asked.set(type, ofType);
    const answer = ofType.get(id) ?? Promise.withResolvers<StoredVersion | undefined>();
    ofType.set(id, answer);
    if (ofType.size === MOST) {
      asked.delete(type);
      void readAll(sql, type, ofType);
    }
    return answer.promise;
  };

  function send(): void {
    for (const [type, ofType] of asked) void readAll(sql, type, ofType);
    asked.clear();
  }
}

/** Never rejects: whoever asked gets the answer or the error. */
async function readAll(sql: Sql, type: string, asked: ReadonlyMap<string, Answer>): Promise<void> {
  try {
    const found = await readMany(sql, type, [...asked.keys()]);
    for (const [id, answer] of asked) answer.resolve(found.get(id));
  } catch (error) {
    for (const answer of asked.values()) answer.reject(error);
  }
}

async function readMany(sql: Sql, type: string, ids: readonly string[]): Promise<Map<string, StoredVersion>> {
  const length = LENGTHS.find((one) => one >= ids.length) ?? MOST;
  const filled = [...ids, ...Array<string>(length - ids.length).fill(ids[0] ?? '')];
  const rows = await sql.all(
    `SELECT ${READ_COLUMNS} FROM resource WHERE type = ? AND id IN (${filled.map(() => '?').join(', ')})`,
    [type, ...filled],
  );
  return new Map(rows.map((row) => [row.id as string, currentVersion(row)]));
}
