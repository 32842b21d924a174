// How far the index is, for operators.
import type { Store } from '../store.ts';

export interface IndexProgress {
  readonly type: string;
  /** Parameters that cannot be searched by yet. */
  readonly parameters: readonly string[];
  /** Resources that are still to be indexed. */
  readonly remaining: number;
}

const PROGRESS = `SELECT r.type, r.parameters, (SELECT COUNT(*) FROM resource c
    WHERE c.type = r.type AND c.deleted = 0 AND c.rid > r.position AND c.rid <= r.upto) AS remaining
  FROM reindex r ORDER BY r.type`;

/** One entry for each type that is being indexed again; none when every parameter can be searched by. */
export async function readIndexProgress(store: Pick<Store, 'query'>): Promise<IndexProgress[]> {
  const rows = await store.query(PROGRESS);
  return rows.map((row) => ({
    type: String(row.type),
    parameters: Object.keys(JSON.parse(String(row.parameters))),
    remaining: Number(row.remaining),
  }));
}
