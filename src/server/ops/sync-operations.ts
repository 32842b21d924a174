// What operators look at and do about single messages, conflicts, outbox entries and streams. docs/messages.md, docs/conflicts.md
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Store } from '../../store/store.ts';
import { MESSAGE_FILTERS } from '../../sync/messages/message-search.ts';
import { MOST_REPLAYS, type SyncOperations } from '../../sync/operations.ts';
import type { Sync } from '../../sync/sync.ts';
import { grantOf } from '../grant-of.ts';
import { bodyOf, wrong } from './command-body.ts';
import { CONFLICT_FILTERS, decide, listConflicts, readDecision } from './conflicts.ts';
import { endsSoon } from './ends-soon.ts';
import type { ListPage, ListRequest } from './list-request.ts';
import { listTable, MESSAGES, STREAMS } from './table-list.ts';

/** What the routes work with. */
export type OperatedSync = Pick<Sync, keyof SyncOperations | 'sweep' | 'status' | 'names'>;

/** How the routes are put up (routes.ts). */
export interface Doors {
  list(name: string, filters: readonly string[], read: (request: ListRequest) => Promise<ListPage>): void;
  item(path: string, name: string, read: (request: FastifyRequest, reply: FastifyReply) => Promise<object>): void;
  command(path: string, name: string, run: (request: FastifyRequest) => Promise<object>): void;
}

const MOST = 100;

export function serveSyncOperations(
  { list, item, command }: Doors,
  { sync, store, clock }: { readonly sync: OperatedSync; readonly store: Store; readonly clock: Clock },
): void {
  list('conflicts', CONFLICT_FILTERS, async (request) =>
    listConflicts(store, request, await sync.names(), clock.real().epochMilliseconds),
  );
  item('conflicts/:id', 'conflict', async (request, reply) => {
    const { tag, openedAt, resolvedAt, ...conflict } = await sync.conflict(param(request, 'id'));
    void reply.header('etag', `W/"${tag}"`);
    return { ...conflict, openedAt: instant(openedAt), resolvedAt: instant(resolvedAt) };
  });
  command('conflicts/:id/resolve', 'resolve', (request) =>
    decide(
      sync,
      actorOf(request),
      param(request, 'id'),
      readDecision(bodyOf(request.body, ['take', 'body', 'dryRun'])),
      request.headers['if-match'],
    ),
  );

  list('messages', Object.keys(MESSAGE_FILTERS), (request) => listTable(store, MESSAGES, request));
  item('messages/:id', 'message', async (request) => {
    const { headers, replays, at, ...message } = await sync.message(param(request, 'id'));
    return {
      ...message,
      at: instant(at),
      ...(headers === undefined ? {} : { headers: JSON.parse(headers) }),
      replays: replays.map(({ id, outcome, at: when }) => ({ id, outcome, at: instant(when) })),
    };
  });
  command('messages/:id/replay', 'replay', (request) =>
    sync.replayMessage(actorOf(request), param(request, 'id'), readReplay(request.body, REPLAY)),
  );
  command('replay', 'replay', async (request) => {
    const options = readReplay(request.body, [...REPLAY, 'filter', 'limit']);
    const { filter, limit = MOST } = bodyOf(request.body) as { filter?: unknown; limit?: unknown };
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > MOST_REPLAYS) {
      throw wrong('limit', `limit must be a whole number from 1 to ${MOST_REPLAYS}.`);
    }
    const results = await sync.replay(actorOf(request), readFilter(filter), { ...options, limit });
    return { dryRun: options.dryRun, results };
  });

  command('outbox/:id/retry', 'outbox-retry', async (request) =>
    shown(await sync.retry(actorOf(request), param(request, 'id'))),
  );
  command('outbox/:id/reject', 'outbox-reject', async (request) => {
    const { reason } = bodyOf(request.body, ['reason']);
    if (reason !== undefined && typeof reason !== 'string') throw wrong('reason', 'reason must be a text.');
    return shown(await sync.reject(actorOf(request), param(request, 'id'), reason));
  });

  list('streams', STREAMS.filters, (request) => listTable(store, STREAMS, request));
  command('streams/:key/rewind', 'rewind', async (request) => {
    const key = param(request, 'key');
    const { to } = bodyOf(request.body, ['to']);
    return { streamKey: key, highWater: await sync.rewind(actorOf(request), key, readMoment(to)) };
  });

  command('sync-sweep', 'sync-sweep', async (request) => {
    const { connection, lost = false } = bodyOf(request.body, ['connection', 'lost']);
    if (typeof connection !== 'string') {
      throw new Fault('invalid', 'Send {"connection": "NAME"}.', { code: 'required' });
    }
    if (typeof lost !== 'boolean') throw wrong('lost', 'lost is true or false.');
    const finished = await endsSoon(sync.sweep(connection, { lost }));
    return { ...(await sync.status()).find(({ name }) => name === connection), finished };
  });

  item('preview', 'preview', async (request) => {
    const { connection, ref } = request.query as Record<string, unknown>;
    const target = typeof ref === 'string' ? parseLiteral(ref) : undefined;
    if (typeof connection !== 'string' || !target) {
      throw new Fault('invalid', 'Ask with ?connection=NAME&ref=Type/id.', { code: 'required' });
    }
    return sync.preview(connection, target.type, target.id);
  });
}

const param = (request: FastifyRequest, name: string) => (request.params as Record<string, string>)[name] ?? '';
const actorOf = (request: FastifyRequest) => grantOf(request).actor;
const instant = (at: number | undefined) =>
  at === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(at).toString();

function shown({ id, connection, type, localId, state }: Awaited<ReturnType<SyncOperations['retry']>>): object {
  return { id, connection, type, localId, state };
}

const REPLAY = ['dryRun', 'from'];

function readReplay(
  body: unknown,
  known: readonly string[],
): { readonly dryRun: boolean; readonly from: 'remote' | 'stored' } {
  const { dryRun = false, from = 'remote' } = bodyOf(body, known);
  if (typeof dryRun !== 'boolean') throw wrong('dryRun', 'dryRun is true or false.');
  if (from === 'remote' || from === 'stored') return { dryRun, from };
  throw wrong('from', 'from is "remote" or "stored".');
}

function readFilter(filter: unknown): Record<string, string> {
  const named = bodyOf(filter);
  const other = Object.keys(named).find((name) => typeof named[name] !== 'string');
  if (other === undefined) return named as Record<string, string>;
  throw wrong(`filter.${other}`, `filter.${other} must be a text.`);
}

/** An instant, or null for the beginning. */
function readMoment(to: unknown): Temporal.Instant | null {
  if (to === null) return null;
  try {
    return Temporal.Instant.from(String(to));
  } catch {
    throw new Fault('invalid', 'Send {"to": "2026-11-24T08:00:00Z"}, or {"to": null} for the beginning.', {
      code: 'value',
      expression: 'to',
    });
  }
}
