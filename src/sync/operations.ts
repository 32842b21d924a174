// What a person does to sync by hand: look at and decide conflicts, repeat messages, look before sending, retry, give up, read
// again. Everything is audited by the door it came through. docs/sync-spec.md#I22
import type { Clock } from '../clock.ts';
import { asFault, Fault } from '../fault.ts';
import type { Actor, Store } from '../store/store.ts';
import { type ConflictView, requireConflict, viewConflict, viewKeptConflict } from './conflicts/conflict-view.ts';
import { decideConflict, forecastResolution, type ResolutionForecast } from './conflicts/decide-conflict.ts';
import type { Resolution } from './conflicts/resolve.ts';
import type { ConnectionRuns } from './connections/connection.ts';
import {
  findMessages,
  readMessage,
  readReplays,
  type StoredMessage,
  type WholeMessage,
} from './messages/message-search.ts';
import { lookAhead } from './messages/preview.ts';
import type { Preview } from './messages/preview-verdict.ts';
import { notReplayed, type ReplayOptions, type ReplayResult, repeatableAs, replayMessages } from './messages/replay.ts';
import { rewindStream } from './pull/rewind.ts';
import type { OutboxRow } from './push/outbox.ts';
import { rejectRow, retryRow } from './push/outbox-commands.ts';

export interface SyncOperations {
  /** @throws Fault not-found */
  conflict(id: string): Promise<ConflictView>;
  /**
   * @param tag of the conflict as it was looked at; absent decides whatever it is now
   * @throws Fault not-found | conflict | precondition | invalid | unprocessable
   */
  resolve(actor: Actor, id: string, resolution: Resolution, tag?: string): Promise<void>;
  /** What `resolve` would write here and send there. */
  forecast(actor: Actor, id: string, resolution: Resolution, tag?: string): Promise<ResolutionForecast>;
  /** @throws Fault not-found */
  message(id: string): Promise<WholeMessage & { readonly replays: readonly StoredMessage[] }>;
  /** @throws Fault not-found */
  replayMessage(actor: Actor, id: string, options: ReplayOptions): Promise<ReplayResult>;
  /**
   * The newest message of each resource that matches, at most `limit`.
   * @param filter as for the list of messages; at least one
   * @throws Fault invalid
   */
  replay(
    actor: Actor,
    filter: Readonly<Record<string, string>>,
    options: ReplayOptions & { readonly limit: number },
  ): Promise<ReplayResult[]>;
  /** @throws Fault not-found | conflict */
  retry(actor: Actor, outboxId: string): Promise<OutboxRow>;
  /** @throws Fault not-found | conflict */
  reject(actor: Actor, outboxId: string, reason?: string): Promise<OutboxRow>;
  /** @param to the remote's time; null for the beginning */
  rewind(actor: Actor, streamKey: string, to: Temporal.Instant | null): Promise<string | null>;
  /** @throws Fault not-found */
  preview(connection: string, type: string, id: string): Promise<Preview>;
}

/** A filter that fits more is worked off in several goes. */
export const MOST_REPLAYS = 500;

export interface OperationParts {
  readonly store: Store;
  readonly clock: Clock;
  /** @throws Fault not-found */
  readonly find: (connection: string) => Promise<ConnectionRuns>;
  /** Keeps `stop` waiting until the work is done. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}

export function syncOperations({ store, clock, find, track }: OperationParts): SyncOperations {
  const now = () => clock.real().epochMilliseconds;

  /** Undefined when the connection is no more. */
  async function findOrNone(name: string): Promise<ConnectionRuns | undefined> {
    try {
      return await find(name);
    } catch (error) {
      if (asFault(error).kind !== 'not-found') throw error;
      return undefined;
    }
  }

  /** @throws Fault conflict, because the record is there and what it is about may come back */
  async function contextOf(id: string) {
    const { connection } = await requireConflict({ store }, id);
    const runs = await findOrNone(connection);
    if (runs) return runs.context;
    const sentence = `There is no connection "${connection}" any more. What it asks can be decided when a connection of that name comes back.`;
    throw new Fault('conflict', sentence);
  }

  /** Messages outlive their connection; those of one that is no more do not hold up the others. */
  async function replayOf(name: string, actor: Actor, messages: readonly StoredMessage[], options: ReplayOptions) {
    const runs = await findOrNone(name);
    if (runs) return replayMessages(runs, actor, messages, options);
    return messages.map((message) => notReplayed(message, 'off', `There is no connection "${name}" any more.`));
  }

  return {
    async conflict(id) {
      const conflict = await requireConflict({ store }, id);
      const runs = await findOrNone(conflict.connection);
      return runs ? viewConflict(runs.context, id) : viewKeptConflict(store, conflict);
    },
    resolve: async (actor, id, resolution, tag) => decideConflict(await contextOf(id), actor, id, resolution, tag),
    forecast: async (actor, id, resolution, tag) => forecastResolution(await contextOf(id), actor, id, resolution, tag),
    async message(id) {
      return { ...(await readMessage(store, id)), replays: await readReplays(store, id) };
    },
    async replayMessage(actor, id, options) {
      const message = await readMessage(store, id);
      const [result] = await track(replayMessages(await find(message.connection), actor, [message], options));
      if (result) return result;
      throw new Fault('fault', `Message ${id} was not replayed.`);
    },
    async replay(actor, filter, { limit, ...options }) {
      if (Object.keys(filter).length === 0)
        throw new Fault('invalid', 'Name at least one filter; all would be too many.');
      const found = newestOfEach(await findMessages(store, filter, MOST_REPLAYS * 10)).slice(
        0,
        Math.min(limit, MOST_REPLAYS),
      );
      const results: ReplayResult[] = [];
      for (const connection of new Set(found.map((message) => message.connection))) {
        // Oldest first, as it happened.
        const own = found.filter((message) => message.connection === connection).reverse();
        results.push(...(await track(replayOf(connection, actor, own, options))));
      }
      return results;
    },
    retry: (actor, id) => retryRow(store, actor, id, now()),
    reject: (actor, id, reason) => rejectRow(store, actor, id, reason, now()),
    rewind: (actor, key, to) => rewindStream(store, clock, actor, key, to),
    async preview(connection, type, id) {
      return (await lookAhead(await find(connection), { type, id })).preview;
    },
  };
}

/** The newest message about each thing; what cannot be repeated stays, so that it is said. */
function newestOfEach(messages: readonly StoredMessage[]): StoredMessage[] {
  const seen = new Set<string>();
  return messages.filter((message) => {
    const what = repeatableAs(message);
    const key = JSON.stringify([message.connection, what.kind === 'none' ? message.id : what]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
