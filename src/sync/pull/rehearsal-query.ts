// What a dry run asks of a type: what is newest, or one patient's resources where the server answers nothing else.
import type { RunContext } from '../context.ts';
import { isThere } from '../identity-row.ts';
import { choosePlan } from './strategy.ts';

/** Undefined when there is nothing that could be asked. */
export async function rehearsalQuery(context: RunContext, type: string): Promise<string | undefined> {
  const { store, connection, capability, remote } = context;
  const plan = choosePlan(connection, capability, remote.vendor, type);
  const count = `_count=${remote.vendor.pageSize}`;
  if (plan.strategy === 'none') return undefined;
  if (plan.strategy !== 'roster') return `${type}?_sort=-_lastUpdated&${count}`;
  const sql = `SELECT remote_id FROM identity WHERE connection = ? AND type = ? AND ${isThere()}
    AND how <> 'projected' ORDER BY remote_id LIMIT 1`;
  const [row] = await store.query(sql, [connection.name, plan.by === 'id' ? type : 'Patient']);
  if (!row) return undefined;
  const condition = remote.vendor.required[type]?.[0];
  const parts = [`${plan.by === 'id' ? '_id' : plan.by}=${row.remote_id}`, ...(condition ? [condition] : []), count];
  return `${type}?${parts.join('&')}`;
}
