// What tells a pull that is at work from one that does not get on: since when types are to be read, and when the last of an
// answer was committed. docs/sync-spec.md#I23
import type { Statement } from '../../store/store.ts';
import { actorOf, type Connection, pulls } from '../connections/settings.ts';
import { type ConnectionContext, realNow } from '../context.ts';
import { readFacts, saveFact } from './remote-fact.ts';

/** With the type. */
export const TO_BE_READ = 'to-be-read:';
export const PROGRESS = 'pull-progress';

/** The types of a connection that pulls are to be read from now on, where they were not before. */
export async function beginReading(context: Pick<ConnectionContext, 'store' | 'connection' | 'clock'>): Promise<void> {
  const { store, connection, clock } = context;
  const { name } = connection;
  const begun = await readFacts(store, name, TO_BE_READ);
  const missing = pulledTypes(connection).filter((type) => !begun.has(type));
  if (missing.length === 0) return;
  const sql = `INSERT INTO remote_fact (connection, name, value, at) VALUES (?, ?, '', ?)
    ON CONFLICT (connection, name) DO NOTHING`;
  const now = clock.real().epochMilliseconds;
  const statements = missing.map((type) => ({ sql, params: [name, `${TO_BE_READ}${type}`, now] }));
  await store.commit(actorOf(connection), [], statements);
}

export function pulledTypes(connection: Connection): string[] {
  return Object.keys(connection.types).filter((type) => pulls(connection, type));
}

/** A pull has begun, or something of an answer is in the commit. */
export function noteProgress(context: ConnectionContext): Statement {
  return saveFact(context.connection.name, PROGRESS, '', realNow(context));
}

/**
 * What was read to its end in a pull is as fresh as its end, however long the other types took after it.
 * @param begunAt when the pull began, epoch milliseconds
 */
export function countAsRead(context: ConnectionContext, types: readonly string[], begunAt: number): Statement[] {
  return types.map((type) => ({
    sql: 'UPDATE checkpoint SET ran_at = ? WHERE connection = ? AND type = ? AND ran_at >= ?',
    params: [realNow(context), context.connection.name, type, begunAt],
  }));
}
