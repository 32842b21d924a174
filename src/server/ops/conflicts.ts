// Differences that wait for a person: the list, one of them with both sides, and the decision.

import { Fault } from '../../fault.ts';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { Actor, Store } from '../../store/store.ts';
import { CONFLICT, CONFLICT_KINDS, ofConnections } from '../../sync/conflicts/conflict.ts';
import type { Resolution } from '../../sync/conflicts/resolve.ts';
import { milliseconds } from '../../sync/messages/message-search.ts';
import type { Sync } from '../../sync/sync.ts';
import type { ListPage, ListRequest } from './list-request.ts';
import { listTable, requireCode, type Table } from './table-list.ts';

/** `olderThan` is a duration such as `P1D`; `state=all` shows the decided and the superseded ones, too. */
export const CONFLICT_FILTERS = 'connection type kind state localId remoteId since until olderThan'.split(' ');

const CONFLICTS: Table = {
  name: 'conflict',
  columns:
    'id connection type local_id remote_id kind state paths local_version remote_version resolution resolved_by resolved_at at'.split(
      ' ',
    ),
  times: ['at', 'resolved_at'],
  order: 'at',
  key: 'id',
  filters: ['connection', 'type', 'kind', 'state', 'local_id', 'remote_id'],
  codes: { kind: CONFLICT_KINDS },
  where: {
    since: (value) => ({ sql: 'at >= ?', params: [milliseconds('since', value)] }),
    until: (value) => ({ sql: 'at < ?', params: [milliseconds('until', value)] }),
  },
};

const STATES = [...Object.keys(CONFLICT), 'all'];

/**
 * Newest first, without the bodies. Open ones of a connection that is no more cannot be decided; only `state=all` has them.
 * @param connections names of those that there are
 * @param now epoch milliseconds of the machine's clock
 */
export async function listConflicts(
  store: Store,
  request: ListRequest,
  connections: readonly string[],
  now: number,
): Promise<ListPage> {
  const { localId, remoteId, olderThan, state = 'open', ...rest } = request.filter;
  requireCode('state', state, STATES);
  const filter = {
    ...rest,
    ...(state === 'all' ? {} : { state }),
    ...(state === 'open' ? { decidable: 'true' } : {}),
    ...(localId === undefined ? {} : { local_id: localId }),
    ...(remoteId === undefined ? {} : { remote_id: remoteId }),
    ...(olderThan === undefined ? {} : { until: before(now, olderThan) }),
  };
  const table = { ...CONFLICTS, where: { ...CONFLICTS.where, decidable: () => ofConnections(connections) } };
  const { items, ...page } = await listTable(store, table, { ...request, filter });
  return { ...page, items: items.map((row) => summary(row as Record<string, unknown>)) };
}

function summary({ paths, ...row }: Record<string, unknown>): object {
  const elements: { path: string }[] = JSON.parse(String(paths));
  return { ...camelCased(row), elements: elements.map(({ path }) => path) };
}

/** The names of columns as the rest of the API writes them. */
function camelCased(row: Record<string, unknown>): Record<string, unknown> {
  const named = (name: string) => name.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [named(name), value]));
}

function before(now: number, olderThan: string): string {
  try {
    const age = Temporal.Duration.from(olderThan).total({ unit: 'milliseconds', relativeTo: '1970-01-01T00:00Z[UTC]' });
    return Temporal.Instant.fromEpochMilliseconds(Math.round(now - age)).toString();
  } catch {
    throw new Fault('invalid', 'olderThan must be a duration like P1D or PT6H.', { code: 'value' });
  }
}

/** What `resolve` takes. */
export interface Decision {
  readonly resolution: Resolution;
  readonly dryRun: boolean;
}

/**
 * Decides, or says what that would do.
 * @param ifMatch the header: the tag of the conflict as it was looked at
 */
export async function decide(
  sync: Pick<Sync, 'resolve' | 'forecast'>,
  actor: Actor,
  id: string,
  { resolution, dryRun }: Decision,
  ifMatch: string | undefined,
): Promise<object> {
  const tag = ifMatch === undefined ? undefined : ifMatch.replace(/^W\//, '').replaceAll('"', '');
  if (dryRun) return { dryRun, ...(await sync.forecast(actor, id, resolution, tag)) };
  await sync.resolve(actor, id, resolution, tag);
  return { id, state: 'resolved' };
}

/** @throws Fault invalid when the body is not `{"take": "ours|theirs|proposed"}` or `{"take": "edited", "body": {…}}` */
export function readDecision(body: unknown): Decision {
  const { take, body: edited, dryRun = false } = (body ?? {}) as { take?: unknown; body?: unknown; dryRun?: unknown };
  if (typeof dryRun !== 'boolean')
    throw new Fault('invalid', 'dryRun is true or false.', { code: 'value', expression: 'dryRun' });
  if (take === 'ours' || take === 'theirs' || take === 'proposed') return { resolution: { take }, dryRun };
  if (take === 'edited' && typeof edited === 'object' && edited !== null && !Array.isArray(edited)) {
    return { resolution: { take, body: edited as JsonObject }, dryRun };
  }
  throw new Fault('invalid', 'Send {"take": "ours"}, "theirs" or "proposed", or {"take": "edited", "body": {…}}.', {
    code: 'value',
    expression: 'take',
  });
}
