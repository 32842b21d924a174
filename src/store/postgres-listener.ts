// Hears of commits of other processes, so that whatever follows the log wakes up in all of them.
// https://www.postgresql.org/docs/18/sql-notify.html
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientConfig } from 'pg';
import { PostgresConnection } from './postgres-connection.ts';

/** The channel of notices; their payload is the process that committed. */
export const COMMITS = 'baton_commit';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

export class PostgresListener {
  readonly #connection: PostgresConnection;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #connecting: Promise<void> | undefined;
  /** There may have been notices while the connection was lost. */
  #hasMissed = false;

  /** @param self the process whose own notices are of no interest */
  constructor(settings: ClientConfig, self: string) {
    this.#connection = new PostgresConnection(settings, `LISTEN ${COMMITS}`, {
      notice: (_, from) => {
        if (from !== self) this.#tell();
      },
      lost: () => {
        this.#hasMissed = true;
        this.#connect();
      },
    });
  }

  add(listener: () => void): void {
    this.#listeners.add(listener);
    this.#connect();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#connecting;
    await this.#connection.close();
  }

  #connect(): void {
    if (this.#closing.signal.aborted) return;
    this.#connecting ??= this.#keepTrying().finally(() => {
      this.#connecting = undefined;
    });
  }

  async #keepTrying(): Promise<void> {
    const { signal } = this.#closing;
    for (let wait = FIRST_PAUSE_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#connection.open();
        if (this.#hasMissed) this.#tell();
        this.#hasMissed = false;
        return;
      } catch {
        await pause(wait, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
