// What was held for somebody goes on its way as soon as a person has said who that is; what no person is asked about is tried
// each time. docs/sync-spec.md#I8

import type { Bundle } from '@medplum/fhirtypes';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { SqlRow, Statement } from '../../store/store.ts';
import { answersOtherwise } from '../answers-otherwise.ts';
import { jsonOf, parseBody, resourceOf } from '../body.ts';
import { pulls } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLinksByRemote } from '../identity.ts';
import { writeMessage } from '../messages/message-log.ts';
import { applyPage } from '../pull/pull-page.ts';
import { notSeenSince, replacedAt } from '../unseen.ts';
import { readRecord } from './read-record.ts';

const BATCH = 200;
/** The records that were asked about go first, and patients, because what is theirs is taken in only when they are known. */
const ANSWERED = `SELECT type, remote_id, body, at FROM held_resource WHERE connection = ? AND NOT EXISTS (
    SELECT 1 FROM conflict WHERE conflict.connection = held_resource.connection
      AND conflict.type = held_resource.waits_type AND conflict.remote_id = held_resource.waits_id
      AND conflict.state = 'open' AND conflict.kind IN ('identity', 'duplicate'))
  ORDER BY CASE WHEN type IN (waits_type, 'Patient') THEN 0 ELSE 1 END, type, at, remote_id`;

/** Takes in everything whose question is answered. Before new pages, which may bring newer copies of it. */
export async function takeInHeld(run: RunContext): Promise<void> {
  const context = ownExchanges(run);
  const { store, connection, remote, signal } = context;
  const rows = await store.query(ANSWERED, [connection.name]);
  const replaced = await replacedAt(store, connection.name);
  const ready = rows.filter(({ type }) => pulls(connection, String(type)));
  while (ready.length > 0 && !signal.aborted && remote.breaker.status.state === 'closed') {
    const [first] = ready;
    const rest = ready.findIndex(({ type }) => type !== first?.type);
    const together = await asTheyAre(context, ready.splice(0, Math.min(BATCH, rest === -1 ? ready.length : rest)));
    const entry = together.map(({ body }) => ({ resource: resourceOf(body) }));
    const page: Bundle = { resourceType: 'Bundle', type: 'searchset', entry };
    // One that is held again by this very page has got another time.
    const taken = together.map(({ row: { type, remote_id, at } }) => ({
      sql: 'DELETE FROM held_resource WHERE connection = ? AND type = ? AND remote_id = ? AND at = ?',
      params: [connection.name, type ?? '', remote_id ?? '', at ?? 0],
    }));
    const type = String(first?.type);
    const earlier = together.filter(({ row }) => Number(row.at) < replaced).map(({ row }) => String(row.remote_id));
    const unseen = earlier.length === 0 ? [] : [notSeenSince(connection.name, type, earlier)];
    await applyPage(context, type, page, () => [...taken, ...unseen, ...messages(context, type)]);
  }
}

function messages(context: RunContext, type: string): Statement[] {
  const { connection, runId } = context;
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome: 'held-read' } as const;
  return context.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(context)));
}

interface Ready {
  readonly row: SqlRow;
  readonly body: JsonObject;
}

/**
 * Who an unknown patient is, is told by what the server has of them now: meanwhile it may have given the record to somebody else.
 * One that it fails to show waits, unless it shows none by its id.
 */
async function asTheyAre(context: RunContext, rows: readonly SqlRow[]): Promise<Ready[]> {
  const { store, connection, client, signal } = context;
  const held = rows.map((row) => ({ row, body: parseBody(String(row.body)) }));
  const ids = rows.filter(({ type }) => type === 'Patient').map(({ remote_id }) => String(remote_id));
  const linked = await readLinksByRemote(store, connection.name, 'Patient', ids);
  const now = new Map<string, JsonObject | undefined>();
  for (const id of ids.filter((one) => !linked.has(one))) {
    if (signal.aborted) return [];
    const reply = await readRecord(client, 'Patient', id);
    if (reply.ok && reply.value.body) now.set(id, jsonOf(reply.value.body));
    if (reply.ok || reply.failure.class === 'permanent') continue;
    now.set(id, undefined);
    if (!(await answersOtherwise(client))) return [];
  }
  return held.flatMap(({ row, body }) => {
    const id = String(row.remote_id);
    if (row.type !== 'Patient' || !now.has(id)) return [{ row, body }];
    const current = now.get(id);
    return current ? [{ row, body: current }] : [];
  });
}
