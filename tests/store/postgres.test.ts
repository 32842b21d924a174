// The PostgreSQL engine: what a lost connection, a second process and a late commit do, and what a URL may say.
import { Client } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { walkTrail } from '../../src/store/audit-walk.ts';
import type { Engine } from '../../src/store/engine.ts';
import { type OpenStore, openStore } from '../../src/store/open.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { numberPlaceholders, translateSchema } from '../../src/store/postgres-sql.ts';
import { type CutOffProxy, startCutOffProxy } from '../support/cut-off-proxy.ts';
import { makePostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { create, faultOf, NURSE, patient, update } from '../support/store-fixtures.ts';
import { testRules } from '../support/store-rules.ts';

/** As it goes over the wire; the word alone is in READ COMMITTED, too. */
const COMMIT = 'COMMIT\0';

let database: PostgresDatabase;
let opened: { close(): Promise<void> }[];
beforeEach(async () => {
  database = await makePostgresDatabase();
  opened = [];
});
afterEach(async () => {
  for (const each of opened) await each.close();
  await database.drop();
});

async function open(url = database.url): Promise<OpenStore> {
  const store = await openStore({ url, clock: systemClock(), log: pino({ level: 'silent' }), ...testRules() });
  opened.push(store);
  return store;
}

function engineAt(url = database.url): Engine {
  const engine = openPostgres(url);
  opened.push(engine);
  return engine;
}

async function ask(sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

describe('several processes on one PostgreSQL', () => {
  test('a commit that is late is never skipped: positions are given out in the order of commits', async () => {
    const [store, engine] = [await open(), engineAt()];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holds = new Promise<void>((holding) => {
      engine
        .write(async (tx) => {
          await tx.run(`INSERT INTO version (sequence, type, id, version, updated, operation, actor, content)
            VALUES (1, 'Patient', 'late', 1, 0, 'create', 'test', '{}')`);
          holding();
          await released;
        })
        .catch(() => undefined);
    });
    await holds;
    const commit = store.commit(NURSE, [create(patient('1'))]);
    // The commit has come to the lock, and waits.
    while ((await ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).length === 0);
    expect(await store.head()).toBe(0);
    expect(await store.readLog(0, 10)).toEqual([]);
    release();
    await commit;
    expect((await store.readLog(0, 10)).map(({ sequence, id }) => [sequence, id === 'late'])).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  test('each hears of what the others commit, and not of what fails', async () => {
    const [one, two] = [await open(), await open()];
    const heard = new Promise<void>((resolve) => two.onCommit(resolve));
    // Until it listens, what is committed is not heard of.
    const asking = setInterval(() => one.commit(NURSE, [create(patient('1'))]), 20);
    await heard;
    clearInterval(asking);
    expect((await two.readLog(0, 1)).length).toBe(1);
  });

  test('four that start at once on an empty database make the tables once', async () => {
    const empty = await makePostgresDatabase(true);
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(empty.url)));
    await Promise.all(stores.map((store, index) => store.commit(NURSE, [create(patient(String(index)))])));
    expect((await stores[0]?.readLog(0, 10))?.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(await walkTrail(stores[1] as OpenStore)).toEqual({ verified: 4, last: 4 });
    for (const store of stores) await store.close();
    await empty.drop();
  });

  test('twenty equal conditional creates from four processes make one resource', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
    const commits = Array.from({ length: 20 }, (_, index) =>
      (stores[index % 4] as OpenStore).commit(NURSE, [create(patient('same'), { ifNoneExist: 'identifier=same' })]),
    );
    const outcomes = (await Promise.all(commits)).flat();
    expect(outcomes.filter(({ written }) => written)).toHaveLength(1);
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(1);
  });
});

describe('a connection that is lost', () => {
  let proxy: CutOffProxy;
  let store: OpenStore;
  beforeEach(async () => {
    proxy = await startCutOffProxy(database.url);
    store = await open(proxy.url);
    await store.commit(NURSE, [update(patient('0', { id: 'a' }))]);
  });
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
    await proxy.close();
  });

  test('after the database got the commit: the client hears that it was written', async () => {
    proxy.cutAt(COMMIT, 'after');
    const [outcome] = await store.commit(NURSE, [update(patient('1', { id: 'a' }))]);
    expect(outcome).toMatchObject({ status: 200, versionId: '2' });
    expect(proxy.cuts).toBe(1);
    expect((await store.read('Patient', 'a'))?.versionId).toBe('2');
    expect(await walkTrail(store)).toEqual({ verified: 2, last: 2 });
  });

  test('before the database got the commit: refused, not written, and the next one works', async () => {
    proxy.cutAt(COMMIT, 'before');
    const fault = await faultOf(store.commit(NURSE, [update(patient('1', { id: 'a' }))]));
    expect(fault.kind).toBe('unavailable');
    expect(proxy.cuts).toBe(1);
    expect((await store.read('Patient', 'a'))?.versionId).toBe('1');
    expect(await store.commit(NURSE, [update(patient('1', { id: 'a' }))])).toMatchObject([{ versionId: '2' }]);
  });

  test('during the commit, with the database gone for good: the client hears that nobody knows', async () => {
    proxy.cutAt(COMMIT, 'for good');
    const fault = await faultOf(store.commit(NURSE, [update(patient('1', { id: 'a' }))]));
    expect(fault.kind).toBe('timeout');
    proxy.refuse(false);
    expect((await store.read('Patient', 'a'))?.versionId).toBe('2');
    // What became of that one says nothing of the next, which never arrives.
    proxy.cutAt(COMMIT, 'before');
    expect((await faultOf(store.commit(NURSE, [update(patient('2', { id: 'a' }))]))).kind).toBe('unavailable');
    expect((await store.read('Patient', 'a'))?.versionId).toBe('2');
    expect(await walkTrail(store)).toEqual({ verified: 2, last: 2 });
  });

  test('in the middle of a group: none of it is written, and nothing goes on outside of the transaction', async () => {
    proxy.cutAt('in the middle', 'before');
    const commits = await Promise.allSettled([
      store.commit(NURSE, [update(patient('1', { id: 'a' }))]),
      store.commit(NURSE, [], [{ sql: "UPDATE setting SET value = 'in the middle'", params: [] }]),
      store.commit(NURSE, [], [{ sql: "INSERT INTO setting (key, value) VALUES ('left', 'over')", params: [] }]),
    ]);
    expect(commits.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(proxy.cuts).toBe(1);
    expect(await ask("SELECT 1 FROM setting WHERE key = 'left'")).toEqual([]);
    expect((await store.read('Patient', 'a'))?.versionId).toBe('1');
  });

  test('for a while: refused as unavailable, not ready, and all is well when it is back', async () => {
    proxy.refuse(true);
    expect((await faultOf(store.read('Patient', 'a'))).kind).toBe('unavailable');
    expect((await faultOf(store.commit(NURSE, [create(patient('1'))]))).kind).toBe('unavailable');
    expect(await store.ready()).toBe(false);
    proxy.refuse(false);
    expect(await store.ready()).toBe(true);
    expect((await store.read('Patient', 'a'))?.versionId).toBe('1');
  });

  test('because an administrator ended it: reads are asked again, writes go on', async () => {
    await ask(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
    );
    expect((await store.read('Patient', 'a'))?.versionId).toBe('1');
    expect(await store.commit(NURSE, [update(patient('1', { id: 'a' }))])).toMatchObject([{ versionId: '2' }]);
  });
});

describe('openPostgres', () => {
  test('is durable, and ends what stands still', async () => {
    const settings = ['synchronous_commit', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    const found = await engineAt().write((tx) =>
      Promise.all(settings.map(async (name) => Object.values((await tx.all(`SHOW ${name}`))[0] ?? {})[0])),
    );
    expect(found).toEqual(['on', '10s', '30s']);
  });

  test('a reader writes nothing', async () => {
    const fault = await faultOf(engineAt().reader.run("UPDATE setting SET value = ''"));
    expect(fault.kind).toBe('unavailable');
  });

  test('a duplicate key is a conflict, a mistake in SQL is a bug', async () => {
    const engine = engineAt();
    const twice = engine.write(async (tx) => {
      for (let time = 0; time < 2; time++) await tx.run("INSERT INTO setting (key, value) VALUES ('secret', 'x')");
    });
    const fault = await faultOf(twice);
    expect(fault.kind).toBe('conflict');
    // PostgreSQL's own detail quotes the row.
    expect(JSON.stringify(fault, Object.getOwnPropertyNames(fault))).not.toContain('secret');
    expect(JSON.stringify(fault.cause, Object.getOwnPropertyNames(fault.cause))).not.toContain('secret');
    await expect(engine.reader.all('SELECT nonsense')).rejects.toThrow('nonsense');
  });

  test.for([
    ['postgres://user:geheim@host', 'must name the database'],
    ['postgres://user:geheim@host/db?sslmode=prefer', 'sslmode'],
    ['postgres://user:geheim@host/db?sslrootcert=/nowhere&sslmode=verify-full', 'sslrootcert'],
    ['postgres://user:geheim@host/db?ssl=true', 'knows host'],
  ] as const)('%s is refused, without its password', async ([url, sentence]) => {
    const fault = await faultOf((async () => openPostgres(url))());
    expect(fault.kind).toBe('invalid');
    expect(fault.message).toContain(sentence);
    expect(fault.message).not.toContain('geheim');
  });

  test('says who is refused and that there is no such database, without the password', async () => {
    const url = database.url.replace(/\/[^/]*$/, '/nowhere').replace('baton@', 'baton:geheim@');
    const fault = await faultOf(open(url));
    expect(fault.message).toContain('does not exist');
    expect(JSON.stringify(fault, Object.getOwnPropertyNames(fault))).not.toContain('geheim');
  });
});

test('placeholders are numbered, those in quotes stay', () => {
  expect(numberPlaceholders(`SELECT ? AS "a?", '?''?' WHERE b = ?`)).toBe(`SELECT $1 AS "a?", '?''?' WHERE b = $2`);
});

test('a schema for both engines is compared byte by byte and has wide keys', () => {
  expect(translateSchema('CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT NOT NULL, c BLOB) WITHOUT ROWID;')).toBe(
    'CREATE TABLE a (id BIGINT PRIMARY KEY, b TEXT COLLATE "C" NOT NULL, c BYTEA) ;',
  );
  expect(translateSchema('SELECT CAST(a AS TEXT)')).toBe('SELECT CAST(a AS TEXT)');
});
