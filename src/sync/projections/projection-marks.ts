// Which sources have to be looked at again, because something that their document shows, or a consent about it, changed.
import type { LogEntry, Statement, Store } from '../../store/store.ts';
import type { Connection } from '../connections/settings.ts';
import { type ConnectionContext, realNow } from '../context.ts';
import { mark } from '../push/outbox.ts';

interface Touched {
  readonly type: string;
  readonly id: string;
  /** Log position of the change. */
  readonly sequence: number;
}

/** @param patients ids of those whose consents changed */
export async function projectionsTouched(
  store: Pick<Store, 'query'>,
  connection: Connection,
  entries: readonly LogEntry[],
  patients: readonly string[],
): Promise<Touched[]> {
  const { name } = connection;
  const any = await store.query('SELECT 1 FROM projection WHERE connection = ? LIMIT 1', [name]);
  const newest = entries.at(-1)?.sequence ?? 0;
  if (any.length === 0) return [];
  const parts = [...new Set(entries.map(({ type, id }) => `${type}/${id}`))];
  const rows = [
    ...(await store.query(
      `SELECT DISTINCT source_type, source_id FROM projection_part WHERE connection = ? AND part IN (${places(parts)})`,
      [name, ...parts],
    )),
    ...(patients.length === 0
      ? []
      : await store.query(
          `SELECT DISTINCT source_type, source_id FROM projection
            WHERE connection = ? AND state = 'current' AND patient IN (${places(patients)})`,
          [name, ...patients],
        )),
  ];
  // Also of a type that does not flow out now: it is given up then, and taken up once it does.
  return rows.map((row) => ({ type: String(row.source_type), id: String(row.source_id), sequence: newest }));
}

/** Those of which a consent that kept something out has ended by itself. */
export async function projectionsDue(context: ConnectionContext): Promise<Statement[]> {
  const { store, connection } = context;
  const now = realNow(context);
  const rows = await store.query(
    'SELECT source_type, source_id, number FROM projection WHERE connection = ? AND review_at IS NOT NULL AND review_at <= ?',
    [connection.name, now],
  );
  return rows.flatMap(({ source_type, source_id, number }) => [
    mark(connection.name, String(source_type), String(source_id), 0, now),
    {
      sql: `UPDATE projection SET review_at = NULL WHERE connection = ? AND source_type = ? AND source_id = ? AND number = ?`,
      params: [connection.name, String(source_type), String(source_id), Number(number)],
    },
  ]);
}

function places(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
