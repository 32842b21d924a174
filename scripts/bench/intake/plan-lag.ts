// From a discharge on disk to its plan on disk, by the times of the versions in the database.
import { DatabaseSync } from 'node:sqlite';

const DISCHARGED = `SELECT id, MIN(updated) AS at FROM version
  WHERE type = 'Encounter' AND sequence > ? AND json_extract(content, '$.status') = 'finished' GROUP BY id`;
const PLANNED = `SELECT content, updated AS at FROM version WHERE type = 'CarePlan' AND version = 1 AND sequence > ?`;

export interface PlanLag {
  readonly discharges: number;
  readonly planned: number;
  /** Milliseconds; of those that have a plan. */
  readonly median: number;
}

export function headOf(file: string): number {
  return query(file, 'SELECT MAX(sequence) AS head FROM version', []).map(({ head }) => Number(head))[0] ?? 0;
}

/** @param after position in the log from which on discharges count */
export function planLag(file: string, after: number): PlanLag {
  const discharged = new Map(query(file, DISCHARGED, [after]).map(({ id, at }) => [String(id), Number(at)]));
  const lags = query(file, PLANNED, [after]).flatMap(({ content, at }) => {
    const encounter = /"Encounter\/([^"/]+)"/.exec(String(content))?.[1] ?? '';
    const since = discharged.get(encounter);
    return since === undefined ? [] : [Number(at) - since];
  });
  lags.sort((one, other) => one - other);
  return { discharges: discharged.size, planned: lags.length, median: lags[lags.length >> 1] ?? Number.NaN };
}

function query(file: string, sql: string, params: readonly number[]) {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all(...params);
  } finally {
    database.close();
  }
}
