// A resource that came back at an earlier version than we know. The next pull looks at it before anything else.
// docs/sync-spec.md#I5
import type { SqlRow, Statement } from '../../store/store.ts';
import { type RunContext, realNow } from '../context.ts';
import { forgetFact, readFact, saveFact } from './remote-fact.ts';

const SUSPECT = 'suspect';

/** An answer brought an older version than we know: either the answer is stale, or the server went back in time. */
export function suspect(context: RunContext, type: string, remoteId: string): Statement {
  return saveFact(context.connection.name, SUSPECT, `${type}/${remoteId}`, realNow(context));
}

/** With type, remote_id and the remote_version that we know. */
export async function suspects({ store, connection }: RunContext): Promise<SqlRow[]> {
  const fact = await readFact(store, connection.name, SUSPECT);
  const [type, id] = fact?.value.split('/') ?? [];
  if (type === undefined || id === undefined) return [];
  const sql = `SELECT type, remote_id, remote_version FROM identity
    WHERE connection = ? AND type = ? AND remote_id = ? AND state <> 'replaced'`;
  return store.query(sql, [connection.name, type, id]);
}

export function forgetSuspects(connection: string): Statement {
  return forgetFact(connection, SUSPECT);
}
