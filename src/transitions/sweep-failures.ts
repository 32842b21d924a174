// Follow-ups that a sweep failed at. They are tried again after a while that grows, so that those behind them are not held
// up, and are in a table until they succeed, so that somebody sees them.
import type { Clock } from '../clock.ts';
import { asFault } from '../fault.ts';
import type { Statement, Store } from '../store/store.ts';
import type { Due } from './due.ts';

export interface SweepFailures {
  /** Failed lately; its time has not come yet. */
  isResting(due: Due): boolean;
  /** For `alongside` of the commit that does it after all. */
  settled(due: Due): Statement[];
  failed(due: Due, error: unknown): Statement;
  /** Failures of what is not due any more. Only after everything due was looked at. */
  outdated(): Statement[];
}

interface Failure {
  readonly task: string;
  readonly pass: string;
  readonly failures: number;
  readonly nextAt: number;
}

const SELECT = 'SELECT task, pass, failures, next_at FROM sweep_failure';
const KEEP = `INSERT INTO sweep_failure (task, pass, failures, since, next_at, reason) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (task, pass) DO UPDATE SET failures = excluded.failures, next_at = excluded.next_at, reason = excluded.reason`;
const FORGET = 'DELETE FROM sweep_failure WHERE task = ? AND pass = ?';

/** Has the next sweep try again what rests. @param task one only; all when absent */
export function wakeFailures(task: string | undefined): Statement {
  const one = task === undefined ? '' : ' WHERE task = ?';
  return { sql: `UPDATE sweep_failure SET next_at = 0${one}`, params: task === undefined ? [] : [task] };
}

const FIRST_PAUSE_MINUTES = 1;
const LONGEST_PAUSE_MINUTES = 60;

export async function readSweepFailures(store: Store, clock: Clock): Promise<SweepFailures> {
  const known = new Map<string, Failure>();
  for (const row of await store.query(SELECT)) {
    const failure = {
      task: String(row.task),
      pass: String(row.pass),
      failures: Number(row.failures),
      nextAt: Number(row.next_at),
    };
    known.set(`${failure.pass} ${failure.task}`, failure);
  }
  const seen = new Set<string>();
  const keyOf = ({ pass, task }: Due) => `${pass.parameter} ${task.id}`;
  const forget = ({ task, pass }: Failure): Statement => ({ sql: FORGET, params: [task, pass] });
  return {
    isResting(due) {
      const key = keyOf(due);
      const failure = known.get(key);
      if (!failure) return false;
      seen.add(key);
      return failure.nextAt > clock.real().epochMilliseconds;
    },
    settled(due) {
      const failure = known.get(keyOf(due));
      return failure ? [forget(failure)] : [];
    },
    failed(due, error) {
      const key = keyOf(due);
      const failures = (known.get(key)?.failures ?? 0) + 1;
      const now = clock.real();
      const minutes = Math.min(FIRST_PAUSE_MINUTES * 2 ** (failures - 1), LONGEST_PAUSE_MINUTES);
      const nextAt = now.add({ minutes }).epochMilliseconds;
      const [task, pass] = [due.task.id ?? '', due.pass.parameter];
      known.set(key, { task, pass, failures, nextAt });
      seen.add(key);
      return { sql: KEEP, params: [task, pass, failures, now.epochMilliseconds, nextAt, asFault(error).message] };
    },
    outdated: () => [...known].filter(([key]) => !seen.has(key)).map(([, failure]) => forget(failure)),
  };
}
