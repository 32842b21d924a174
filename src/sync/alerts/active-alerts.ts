// Which conditions of a connection operators were told of that are still on.
import type { Store } from '../../store/store.ts';

export async function readActive(store: Pick<Store, 'query'>, connection: string): Promise<string[]> {
  const rows = await store.query('SELECT condition FROM alert_state WHERE connection = ? ORDER BY condition', [
    connection,
  ]);
  return rows.map(({ condition }) => String(condition));
}
