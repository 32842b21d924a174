// Every exchange with a remote as a row, grouped by run. Rows are written in the commit that settles what they led to;
// credentials never get here. docs/sync-spec.md#I22
import { randomUUID } from 'node:crypto';
import type { Exchange } from '../remote/fhir-client.ts';
import type { Statement } from '../store/store.ts';

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
}

const INSERT = `INSERT INTO message (id, connection, run_id, direction, type, local_id, remote_id, method, url, status,
  request, response, outcome, detail, duration_ms, replay_of, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)`;

/** @param now epoch milliseconds of the machine's clock */
export function writeMessage(message: Message, now: number): Statement {
  const { exchange } = message;
  return {
    sql: INSERT,
    params: [
      randomUUID(),
      message.connection,
      message.runId,
      message.direction,
      message.type ?? null,
      message.localId ?? null,
      message.remoteId ?? null,
      exchange?.method ?? null,
      storable(exchange?.url),
      exchange?.status ?? null,
      storable(exchange?.request),
      storable(message.body ?? (message.keepResponse === false ? undefined : exchange?.response)),
      exchange?.failure?.class ?? message.outcome,
      storable(message.detail ?? exchange?.failure?.message),
      exchange?.durationMs ?? null,
      now,
    ],
  };
}

/** Characters of one text that are kept. */
const MOST_KEPT = 4 * 1024 * 1024;

/** Bounded, and without what a database cannot hold: a server decides what is in an answer. */
function storable(text: string | undefined): string | null {
  if (text === undefined) return null;
  const kept = text.length > MOST_KEPT ? `${text.slice(0, MOST_KEPT)}… (${text.length} characters)` : text;
  return kept.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** Collects the exchanges of one unit of work until its commit takes them. */
export class ExchangeLog {
  readonly #onExchange: (exchange: Exchange) => void;
  #exchanges: Exchange[] = [];

  /** @param onExchange told of each at once */
  constructor(onExchange: (exchange: Exchange) => void) {
    this.#onExchange = onExchange;
  }

  readonly record = (exchange: Exchange): void => {
    this.#exchanges.push(exchange);
    this.#onExchange(exchange);
  };

  /** What was recorded since the last call. */
  take(): Exchange[] {
    const taken = this.#exchanges;
    this.#exchanges = [];
    return taken;
  }
}
