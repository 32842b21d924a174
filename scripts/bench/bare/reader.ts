// The two statements of the bare server, on either engine.
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';

/** Resources are named by their place among the first of their type. */
export interface BareReader {
  one(type: string, place: number): Promise<string>;
  page(type: string, count: number, place: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

const PLACES = 500;
const KEYS = `SELECT id, rid FROM resource WHERE type = $1 AND deleted = 0 ORDER BY rid LIMIT ${PLACES}`;
const ONE = 'SELECT content FROM resource WHERE type = $1 AND id = $2';
const PAGE = 'SELECT content FROM resource WHERE type = $1 AND deleted = 0 AND rid >= $2 ORDER BY rid LIMIT $3';

interface Key {
  readonly id: string;
  readonly rid: number;
}

type Rows = (name: string, sql: string, params: (string | number)[]) => Promise<readonly Record<string, unknown>[]>;

export async function openBareReader(url: string): Promise<BareReader> {
  return url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url);
}

function openSqlite(path: string): BareReader {
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec('PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456');
  const prepared = new Map([KEYS, ONE, PAGE].map((sql) => [sql, database.prepare(sql.replace(/\$\d/g, '?'))]));
  const rows: Rows = async (_name, sql, params) => prepared.get(sql)?.all(...params) ?? [];
  return readerOf(rows, async () => database.close());
}

function openPostgres(url: string): BareReader {
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  const rows: Rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;
  return readerOf(rows, () => pool.end());
}

function readerOf(rows: Rows, close: () => Promise<void>): BareReader {
  const known = new Map<string, Promise<readonly Key[]>>();
  /** @param following resources that there must be from that place on */
  const keyAt = async (type: string, place: number, following: number): Promise<Key> => {
    if (!known.has(type)) known.set(type, rows('keys', KEYS, [type]) as unknown as Promise<readonly Key[]>);
    const keys = (await known.get(type)) ?? [];
    const key = keys[place % Math.max(1, keys.length - following)];
    if (!key) throw new Error(`The database holds no ${type}.`);
    return key;
  };
  return {
    async one(type, place) {
      const { id } = await keyAt(type, place, 0);
      return String((await rows('one', ONE, [type, id]))[0]?.content);
    },
    async page(type, count, place) {
      const { rid } = await keyAt(type, place, count);
      return (await rows('page', PAGE, [type, rid, count])).map((row) => String(row.content));
    },
    close,
  };
}
