// What was held for somebody goes on its way as soon as a person has said who that is; what no person is asked about is tried
// each time. docs/sync-spec.md#I8
import type { Bundle } from '@medplum/fhirtypes';
import { parseBody, resourceOf } from '../body.ts';
import { pulls } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { applyPage } from '../pull/pull-page.ts';

const BATCH = 200;
/** The records that were asked about go first, and patients, because what is theirs is taken in only when they are known. */
const ANSWERED = `SELECT type, remote_id, body, at FROM held_resource WHERE connection = ? AND NOT EXISTS (
    SELECT 1 FROM conflict WHERE conflict.connection = held_resource.connection
      AND conflict.type = held_resource.waits_type AND conflict.remote_id = held_resource.waits_id
      AND conflict.state = 'open' AND conflict.kind IN ('identity', 'duplicate'))
  ORDER BY CASE WHEN type IN (waits_type, 'Patient') THEN 0 ELSE 1 END, type, at, remote_id`;

/** Takes in everything whose question is answered. Before new pages, which may bring newer copies of it. */
export async function takeInHeld(context: RunContext): Promise<void> {
  const { store, connection, signal } = context;
  const rows = await store.query(ANSWERED, [connection.name]);
  const ready = rows.filter(({ type }) => pulls(connection, String(type)));
  while (ready.length > 0 && !signal.aborted) {
    const [first] = ready;
    const rest = ready.findIndex(({ type }) => type !== first?.type);
    const together = ready.splice(0, Math.min(BATCH, rest === -1 ? ready.length : rest));
    const entry = together.map(({ body }) => ({ resource: resourceOf(parseBody(String(body))) }));
    const page: Bundle = { resourceType: 'Bundle', type: 'searchset', entry };
    // One that is held again by this very page has got another time.
    const taken = together.map(({ type, remote_id, at }) => ({
      sql: 'DELETE FROM held_resource WHERE connection = ? AND type = ? AND remote_id = ? AND at = ?',
      params: [connection.name, type ?? '', remote_id ?? '', at ?? 0],
    }));
    await applyPage(context, String(first?.type), page, () => taken);
  }
}
