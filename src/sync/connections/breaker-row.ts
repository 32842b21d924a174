// How a breaker stood, so that a restart goes on leaving a server alone. docs/sync-spec.md#I19
import type { BreakerState, BreakerStatus } from '../../remote/breaker.ts';
import type { Statement, Store } from '../../store/store.ts';

export function saveBreaker(connection: string, { state, failures, openings, until }: BreakerStatus): Statement {
  const sql = `INSERT INTO breaker_state (connection, state, failures, openings, until) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (connection) DO UPDATE SET state = excluded.state, failures = excluded.failures,
      openings = excluded.openings, until = excluded.until`;
  return { sql, params: [connection, state, failures, openings, until] };
}

export async function readBreaker(store: Pick<Store, 'query'>, connection: string): Promise<BreakerStatus | undefined> {
  const sql = 'SELECT state, failures, openings, until FROM breaker_state WHERE connection = ?';
  const [row] = await store.query(sql, [connection]);
  if (!row) return undefined;
  // Who was trying it is gone; it is tried anew.
  const state = row.state === 'half-open' ? 'open' : (String(row.state) as BreakerState);
  const numbers = { failures: Number(row.failures), openings: Number(row.openings), until: Number(row.until) };
  return { state, ...numbers };
}
