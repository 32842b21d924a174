// One connection to PostgreSQL: opened when it is needed, opened again after it was lost. Statements go out without
// waiting for those before them (pipelining), and the ones that come back are prepared.
import type { Client, ClientConfig, QueryConfig, types } from 'pg';
import { Fault } from '../fault.ts';
import { isLost, postgresFault } from './postgres-fault.ts';
import { numberPlaceholders } from './postgres-sql.ts';
import type { SqlRow, SqlValue } from './store.ts';

export interface Result {
  readonly rows: SqlRow[];
  /** Rows changed. */
  readonly changed: number;
}

/** Beyond this many prepared statements the connection is replaced: the server keeps them as long as it lasts. */
const MOST_PREPARED = 1_000;
/** Texts of which it is remembered that they have come once. */
const MOST_SEEN = 5_000;

/** https://www.postgresql.org/docs/18/catalog-pg-type.html */
const BOOL = 16;
const INT8 = 20;
const FLOAT4 = 700;
const FLOAT8 = 701;
const NUMERIC = 1700;

export class PostgresConnection {
  readonly #settings: ClientConfig;
  /** Sent right after connecting. */
  readonly #prologue: string;
  readonly #onNotice: ((channel: string, payload: string) => void) | undefined;
  readonly #onLost: (() => void) | undefined;
  readonly #seen = new Set<string>();
  readonly #names = new Map<string, string>();
  #client: Client | undefined;
  #opening: Promise<Client> | undefined;
  #closed = false;
  #pinned = false;
  /** Statements sent and not answered. */
  waiting = 0;

  constructor(
    settings: ClientConfig,
    prologue: string,
    on: { notice?: (channel: string, payload: string) => void; lost?: () => void } = {},
  ) {
    this.#settings = settings;
    this.#prologue = prologue;
    this.#onNotice = on.notice;
    this.#onLost = on.lost;
  }

  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  /** @throws Fault unavailable when it cannot be opened */
  async open(): Promise<void> {
    await this.#ready();
  }

  /** Until `unpin` a lost connection stays lost: what belongs to one transaction must not go on outside of it. */
  pin(): void {
    this.#pinned = true;
  }

  unpin(): void {
    this.#pinned = false;
  }

  /** Portable SQL with `?`. */
  query(sql: string, params: readonly SqlValue[] = []): Promise<Result> {
    return this.send(numberPlaceholders(sql), params);
  }

  /** SQL in PostgreSQL's own spelling; arrays may be parameters. */
  async send(text: string, params: readonly unknown[]): Promise<Result> {
    this.waiting += 1;
    let client: Client | undefined;
    try {
      client = this.#client ?? (await this.#ready());
      const query: QueryConfig = { text, values: params.map(withoutNul) };
      const name = this.#nameOf(text);
      if (name !== undefined) query.name = name;
      const result = await client.query(query);
      return { rows: result.rows, changed: result.rowCount ?? 0 };
    } catch (error) {
      // Before the socket itself says so: whoever tries again must not meet the dead connection.
      if (isLost(error)) this.#lose(client);
      throw postgresFault(error);
    } finally {
      this.waiting -= 1;
    }
  }

  /** Statements without parameters and results, one or several, which are not prepared. */
  async script(text: string): Promise<void> {
    let client: Client | undefined;
    try {
      client = this.#client ?? (await this.#ready());
      await client.query(text);
    } catch (error) {
      if (isLost(error)) this.#lose(client);
      throw postgresFault(error);
    }
  }

  /** Lets go of a connection whose state is not known, or that keeps too much. The next statement opens another. */
  drop(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#names.clear();
    this.#seen.clear();
    client?.end().catch(() => undefined);
  }

  /** Whether the server keeps more prepared statements for this connection than it should. */
  get isWornOut(): boolean {
    return this.#names.size >= MOST_PREPARED;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => undefined);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  /** Statements are prepared when they come for the second time: many searches come once. */
  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    if (this.#names.size >= MOST_PREPARED) return undefined;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  #ready(): Promise<Client> {
    if (this.#client) return Promise.resolve(this.#client);
    if (this.#closed) return Promise.reject(new Fault('unavailable', 'The store is closed.'));
    if (this.#pinned) {
      return Promise.reject(new Fault('unavailable', 'The connection to the database was lost; try again.'));
    }
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  #lose(client: Client | undefined): void {
    if (client === undefined || this.#client !== client) return;
    this.drop();
    this.#onLost?.();
  }

  async #connect(): Promise<Client> {
    // Here, because who keeps a SQLite file does not need it.
    const { Client, types } = await import('pg');
    const client = new Client({
      ...this.#settings,
      pipeline: true,
      types: { getTypeParser: (oid, format) => parserOf(types, oid, format) },
    });
    client.on('error', () => this.#lose(client));
    client.on('end', () => this.#lose(client));
    if (this.#onNotice) client.on('notification', ({ channel, payload }) => this.#onNotice?.(channel, payload ?? ''));
    try {
      await client.connect();
      await client.query(this.#prologue);
    } catch (error) {
      client.end().catch(() => undefined);
      throw postgresFault(error);
    }
    if (this.#closed) {
      await client.end();
      throw new Fault('unavailable', 'The store is closed.');
    }
    this.#names.clear();
    this.#seen.clear();
    this.#client = client;
    return client;
  }
}

/** Values as SQLite gives them: integers of any width and decimals are numbers, a truth value is 1 or 0. */
function parserOf(byDefault: typeof types, oid: number, format?: 'text' | 'binary') {
  switch (oid) {
    case INT8:
    case NUMERIC:
    case FLOAT4:
    case FLOAT8:
      return Number;
    case BOOL:
      return (text: string) => (text === 't' ? 1 : 0);
    default:
      return byDefault.getTypeParser(oid, format as 'text');
  }
}

/** PostgreSQL's text cannot hold U+0000; what is stored and what is asked for give it up alike. */
function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
  return Array.isArray(value) ? value.map(withoutNul) : value;
}
