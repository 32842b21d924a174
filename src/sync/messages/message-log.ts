// Every exchange with a remote as a row, grouped by run. Rows are written in the commit that settles what they led to;
// credentials never get here. docs/sync-spec.md#I22
import { randomUUID } from 'node:crypto';
import type { RetryClass } from '../../fault.ts';
import type { Exchange } from '../../remote/fhir-client.ts';
import type { Statement } from '../../store/store.ts';

export interface Message {
  readonly connection: string;
  readonly runId: string;
  readonly direction: 'push' | 'pull';
  readonly type?: string | undefined;
  readonly localId?: string | undefined;
  readonly remoteId?: string | undefined;
  readonly exchange?: Exchange | undefined;
  /** What came of it: created, updated, unchanged, quarantined, would-create… or the class of the failure. */
  readonly outcome: string;
  readonly detail?: string | undefined;
  /** Answers of searches that changed nothing are not kept. */
  readonly keepResponse?: boolean;
  /** The received resource, for a message that is about one of a page. */
  readonly body?: string | undefined;
  /** The message that this one repeats. */
  readonly replayOf?: string | undefined;
}

export type MessageClass = 'success' | RetryClass;

/** Longer bodies are cut; the size that is kept beside them says so. */
export const MOST_BODY = 1024 * 1024;

/** Outcomes, in SQL, that say anew how it stands with a resource that was kept aside. */
export const WORDS_ON_QUARANTINED = "'quarantined', 'created', 'updated', 'merged', 'linked', 'echo', 'conflict'";

const INSERT = `INSERT INTO message (id, connection, run_id, direction, type, local_id, remote_id, method, url, status,
  request, response, outcome, detail, duration_ms, replay_of, at, class, headers, request_bytes, response_bytes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Outcomes that are no success although no request failed. */
const UNHAPPY: Readonly<Record<string, RetryClass>> = {
  transient: 'transient',
  ambiguous: 'ambiguous',
  conflict: 'conflict',
  permanent: 'permanent',
  auth: 'auth',
  quarantined: 'permanent',
  duplicate: 'conflict',
  'merge-refused': 'conflict',
  stopped: 'transient',
  parked: 'ambiguous',
};

/** @param now epoch milliseconds of the machine's clock */
export function writeMessage(message: Message, now: number): Statement {
  const { exchange } = message;
  const response = message.body ?? (message.keepResponse === false ? undefined : exchange?.response);
  const failed = exchange?.failure?.class;
  const token = exchange?.kind === 'token';
  const kept = exchange && { request: exchange.requestHeaders, response: exchange.responseHeaders };
  return {
    sql: INSERT,
    params: [
      randomUUID(),
      message.connection,
      message.runId,
      message.direction,
      token ? null : (message.type ?? null),
      token ? null : (message.localId ?? null),
      token ? null : (message.remoteId ?? null),
      exchange?.method ?? null,
      storable(exchange?.url),
      exchange?.status ?? null,
      storable(exchange?.request),
      storable(response),
      token ? 'token' : (failed ?? message.outcome),
      token ? null : storable(message.detail ?? exchange?.failure?.message),
      exchange?.durationMs ?? null,
      message.replayOf ?? null,
      now,
      failed ?? (token ? 'success' : (UNHAPPY[message.outcome] ?? 'success')),
      kept?.request || kept?.response ? JSON.stringify(kept) : null,
      bytes(exchange?.request),
      bytes(message.body ?? exchange?.response),
    ],
  };
}

/** Bounded, and without what a database cannot hold: a server decides what is in an answer. */
export function storable(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, MOST_BODY).replaceAll('\0', '\uFFFD').toWellFormed();
}

function bytes(text: string | undefined): number | null {
  return text === undefined ? null : Buffer.byteLength(text);
}

/** Collects the exchanges of one unit of work until its commit takes them. What works in parallel has logs of its own. */
export class ExchangeLog {
  readonly #onExchange: (exchange: Exchange) => void;
  #exchanges: Exchange[] = [];
  /** By the attempt under way. */
  #taken: Exchange[] | undefined;

  /** @param onExchange told of each at once */
  constructor(onExchange: (exchange: Exchange) => void) {
    this.#onExchange = onExchange;
  }

  readonly record = (exchange: Exchange): void => {
    this.#exchanges.push(exchange);
    this.#onExchange(exchange);
  };

  /** What was recorded since the last call, for a commit. */
  take(): Exchange[] {
    const taken = this.#exchanges;
    this.#exchanges = [];
    this.#taken?.push(...taken);
    return taken;
  }

  /**
   * A commit that may fail: then what was taken for it, and nothing else, is there for the next one.
   * @throws what `commit` throws; Error when another attempt is under way, whose exchanges nobody could tell from these
   */
  async attempt<T>(commit: () => Promise<T>): Promise<T> {
    if (this.#taken) throw new Error('Two units of work share the log of their exchanges.');
    this.#taken = [];
    try {
      return await commit();
    } catch (error) {
      this.#exchanges = [...this.#taken, ...this.#exchanges];
      throw error;
    } finally {
      this.#taken = undefined;
    }
  }
}
