// Opens a store: engine from the URL, migrations, then the few calls that the rest of Baton works with.

import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { compileStoredConsents } from './consent/compile-stored.ts';
import type { Engine } from './engine.ts';
import type { CommitRules, ReferentialIntegrity } from './group.ts';
import { GroupCommit } from './group-commit.ts';
import { readHistory } from './history.ts';
import { readMetaInUse } from './meta-in-use.ts';
import { migrate } from './migrate.ts';
import { openPostgres } from './postgres.ts';
import { findAll, findWithholding, readHead, readLog, readMayWithhold, readResource, readVersion } from './read.ts';
import { readTogether } from './read-together.ts';
import { enforceRules, type PrepareRules, type RulesInForce } from './rules-in-force.ts';
import { reindexAll } from './search/reindex.ts';
import { openSqlite } from './sqlite.ts';
import { BATON, type Store } from './store.ts';

export interface StoreOptions extends Pick<CommitRules, 'searchEngine' | 'validate' | 'revisions'> {
  /** `sqlite:PATH`, `sqlite::memory:` or `postgres://user:password@host/database` */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** `transaction` when absent. */
  readonly referentialIntegrity?: ReferentialIntegrity;
  /** Makes the rules that follow from the installed guides; absent when guides do not matter. */
  readonly prepareRules?: PrepareRules;
  /** Folder of the numbered SQL files; Baton's own when absent. */
  readonly migrations?: string;
}

/** What the process that owns the store can do besides using it. */
export interface OpenStore extends Store {
  /**
   * Writes a consistent copy to a file that must not exist yet, while the store keeps working.
   * @throws Fault conflict
   */
  backup(path: string): Promise<void>;
  /** Loads guides that another process has added or removed; false when there are none. Commits do so by themselves. */
  refresh(): Promise<boolean>;
  /** Whether stored resources are still to be indexed by some search parameter, which is refused until they are. */
  readonly isIndexing: boolean;
  /**
   * Indexes them, until all are or `signal` is aborted.
   * @param types only these, without rests, because nobody is served meanwhile
   * @throws Fault unavailable when the database cannot be written
   */
  reindex(signal: AbortSignal, types?: readonly string[]): Promise<void>;
}

const PROBE = `INSERT INTO setting (key, value) VALUES ('probe', ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
/** A write probe is good for this many milliseconds. */
const PROBE_LIFETIME = 1_000;

/**
 * Opens or creates the database and brings its schema up to date.
 * @throws Fault invalid for a URL no engine knows, unavailable when the file cannot be used, fault when its schema does
 * not fit this version of Baton
 */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  const { searchEngine, validate, clock, log } = options;
  const engine = openEngine(options.url);
  let inForce: RulesInForce;
  try {
    await migrate(engine, options.migrations ?? join(import.meta.dirname, 'migrations'), log);
    await compileStoredConsents(engine, searchEngine.baseUrl);
    inForce = await enforceRules(engine, searchEngine, options.prepareRules);
  } catch (error) {
    await engine.close();
    throw error;
  }
  const listeners = new Set<() => void>();
  const commits = new GroupCommit({
    engine,
    rules: {
      ...{ searchEngine, validate, revisions: options.revisions },
      referentialIntegrity: options.referentialIntegrity ?? 'transaction',
    },
    inForce,
    clock,
    log,
    onWritten: () => tell(listeners, log),
  });
  engine.onOtherCommit(() => tell(listeners, log));
  const { reader } = engine;
  let probedAt = Number.NEGATIVE_INFINITY;
  let closing: Promise<void> | undefined;

  return {
    commit(actor, changes, alongside = [], { transaction = changes.length > 1, ...options } = {}) {
      if (changes.length === 0 && typeof alongside !== 'function' && alongside.length === 0) return Promise.resolve([]);
      return commits.submit({ actor, changes, alongside, transaction, ...options });
    },
    read: reader.dialect === 'postgres' ? readTogether(reader) : (type, id) => readResource(reader, type, id),
    mayWithhold: (labels) => readMayWithhold(reader, labels),
    withholding: (type, id, condition) => findWithholding(reader, searchEngine, { type, id }, condition),
    vread: (type, id, versionId) => readVersion(reader, type, id, versionId),
    history: (request) => readHistory(reader, request),
    search: (query) => searchEngine.run(reader, query),
    metaInUse: (type) => readMetaInUse(reader, type),
    find: (query) => findAll(reader, searchEngine, query),
    findIdentified: (asked) => searchEngine.identified(reader, asked),
    readLog: (afterSequence, limit, type) => readLog(reader, afterSequence, limit, type),
    head: () => readHead(reader),
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    audit: (record) => commits.audit(record),
    query: (sql, params) => reader.all(sql, params),
    async ready() {
      const now = clock.real().epochMilliseconds;
      if (now - probedAt < PROBE_LIFETIME) return true;
      try {
        const probe = [{ sql: PROBE, params: [String(now)] }];
        await commits.submit({ actor: BATON, changes: [], alongside: probe, transaction: false });
        probedAt = now;
        return true;
      } catch (error) {
        log.warn({ err: error }, 'the store cannot write');
        return false;
      }
    },
    backup: (path) => engine.backup(path),
    refresh: () => inForce.refresh(),
    get isIndexing() {
      return inForce.isIndexing;
    },
    async reindex(signal, types) {
      await reindexAll(engine, searchEngine, { signal, types, onTypeDone: async () => void (await inForce.refresh()) });
      await inForce.refresh();
    },
    close() {
      closing ??= commits.close().then(() => engine.close());
      return closing;
    },
  };
}

function openEngine(url: string): Engine {
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) return openSqlite(url.slice('sqlite:'.length));
  if (/^postgres(ql)?:/.test(url)) return openPostgres(url);
  throw new Fault('invalid', 'The database URL must be sqlite:PATH, sqlite::memory: or postgres://….');
}

function tell(listeners: ReadonlySet<() => void>, log: Logger): void {
  for (const listener of listeners) {
    try {
      listener();
    } catch (error) {
      log.error({ err: error }, 'a commit listener failed');
    }
  }
}
