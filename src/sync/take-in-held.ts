// What was held for a patient goes on its way as soon as a person has said who that is. docs/sync-spec.md#I8
import type { Bundle } from '@medplum/fhirtypes';
import { parseBody, resourceOf } from './body.ts';
import type { RunContext } from './context.ts';
import { applyPage } from './pull-page.ts';

const BATCH = 200;
/** Patients go first, because what is theirs is taken in only when they are known. */
const ANSWERED = `SELECT type, remote_id, body, at FROM held_resource WHERE connection = ? AND NOT EXISTS (
    SELECT 1 FROM conflict WHERE conflict.connection = held_resource.connection AND conflict.type = 'Patient'
      AND conflict.remote_id = held_resource.patient AND conflict.state = 'open'
      AND conflict.kind IN ('identity', 'duplicate'))
  ORDER BY CASE type WHEN 'Patient' THEN 0 ELSE 1 END, type, at, remote_id LIMIT ${BATCH}`;

/** Takes in everything whose patient is known by now. Before new pages, which may bring newer copies of it. */
export async function takeInHeld(context: RunContext): Promise<void> {
  const { store, connection, signal } = context;
  while (!signal.aborted) {
    const rows = await store.query(ANSWERED, [connection.name]);
    const type = rows[0]?.type;
    if (type === undefined) return;
    const together = rows.filter((row) => row.type === type);
    const entry = together.map(({ body }) => ({ resource: resourceOf(parseBody(String(body))) }));
    const page: Bundle = { resourceType: 'Bundle', type: 'searchset', entry };
    // One that is held again by this very page has got another time.
    const taken = together.map(({ remote_id, at }) => ({
      sql: 'DELETE FROM held_resource WHERE connection = ? AND type = ? AND remote_id = ? AND at = ?',
      params: [connection.name, type, remote_id ?? '', at ?? 0],
    }));
    await applyPage(context, String(type), page, () => taken);
  }
}
