// A million follow-ups that wait: copies of one, made by the database itself. They have the rows that a sweep walks past,
// the resource and its dates, and windows a second apart that open long after all that is due.
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

/** Milliseconds that the windows of all of them are later than that of the one they are copied from. */
const LATER = 400 * 86_400_000;

/**
 * @param url of a database that no store has open
 * @param id of the Task that is copied
 */
export async function addWaiting(url: string, id: string, count: number): Promise<void> {
  const series = url.startsWith('sqlite:')
    ? 'WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < COUNT)'
    : 'WITH series(n) AS (SELECT generate_series(1, COUNT))';
  const copies = series.replace('COUNT', String(count));
  // Numbers of rows beyond any that the log will reach here.
  const rid = '(1000000000 + n)';
  const resources = `INSERT INTO resource (rid, type, id, version, sequence, updated, deleted, content) ${copies}
    SELECT ${rid}, r.type, 'waits-' || n, 1, ${rid}, r.updated, 0, r.content
    FROM resource r CROSS JOIN series WHERE r.type = 'Task' AND r.id = '${id}' ORDER BY n`;
  const dates = `INSERT INTO search_date (rid, parameter, part, low, high) ${copies}
    SELECT ${rid}, d.parameter, d.part, d.low + ${LATER} + n * 1000, d.high + ${LATER} + n * 1000
    FROM resource r JOIN search_date d ON d.rid = r.rid CROSS JOIN series
    WHERE r.type = 'Task' AND r.id = '${id}' ORDER BY d.parameter, n`;
  if (url.startsWith('sqlite:')) {
    const database = new DatabaseSync(url.slice('sqlite:'.length));
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;
      BEGIN; ${resources}; ${dates}; COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize`);
    database.close();
    return flush(url.slice('sqlite:'.length));
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of [resources, dates, 'VACUUM ANALYZE']) await client.query(statement);
  await client.end();
}

/** What was loaded without waiting for the disk would be waited for by the first commit that is measured: 1.5 s of 200,000. */
function flush(path: string): void {
  const file = openSync(path, 'r+');
  fsyncSync(file);
  closeSync(file);
}
