// A resource that came back at an earlier version than we know. The next pull looks at it before anything else.
// docs/sync-spec.md#I5
import type { SqlRow, Statement } from '../../store/store.ts';
import { type RunContext, realNow } from '../context.ts';
import type { Link } from '../identity.ts';
import { forgetFact, readFact, saveFact } from './remote-fact.ts';

const SUSPECT = 'suspect';

/**
 * An answer brought an older version than we know: either the answer is stale, or the server went back in time.
 * @param link as it was before
 */
export function suspect(context: RunContext, { type, remoteId, remoteVersion = '' }: Link): Statement {
  return saveFact(context.connection.name, SUSPECT, [type, remoteId, remoteVersion].join('/'), realNow(context));
}

/** With type, remote_id and the remote_version that we knew. */
export async function suspects({ store, connection }: RunContext): Promise<SqlRow[]> {
  const fact = await readFact(store, connection.name, SUSPECT);
  const [type, id, ...version] = fact?.value.split('/') ?? [];
  if (type === undefined || id === undefined) return [];
  return [{ type, remote_id: id, remote_version: version.join('/') || null }];
}

export function forgetSuspects(connection: string): Statement {
  return forgetFact(connection, SUSPECT);
}
