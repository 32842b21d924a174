// All live links of a connection in portions. A statement that changes very many rows keeps all that it may have to take back: with a
// million links, a gigabyte of memory.
import type { SqlValue, Store } from '../store/store.ts';
import { isLive } from './identity-row.ts';

const PORTION = 5_000;

/** For a WHERE about `identity`. */
export interface Portion {
  readonly where: string;
  readonly params: readonly SqlValue[];
}

/** @returns one at least; together they are all there are, and what is linked meanwhile is in one of them */
export async function livePortions(store: Pick<Store, 'query'>, connection: string): Promise<Portion[]> {
  const sql = `SELECT type, remote_id FROM identity WHERE connection = ? AND ${isLive()} AND (type, remote_id) > (?, ?)
    ORDER BY type, remote_id LIMIT 1 OFFSET ${PORTION - 1}`;
  const where = `connection = ? AND ${isLive()} AND (type, remote_id) > (?, ?)`;
  const portions: Portion[] = [];
  for (let after: readonly SqlValue[] = ['', '']; ; ) {
    const [end] = await store.query(sql, [connection, ...after]);
    const params = [connection, ...after];
    if (!end) return [...portions, { where, params }];
    const upTo = [String(end.type), String(end.remote_id)];
    portions.push({ where: `${where} AND (type, remote_id) <= (?, ?)`, params: [...params, ...upTo] });
    after = upTo;
  }
}
