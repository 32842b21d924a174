// Jobs of a connection that run at times of a cron expression. The last run is a row, so a time that passed while Baton was
// down, or while the server did not answer, is made up for: once, however many passed.
import type { SqlValue, Store } from '../../store/store.ts';
import { lastTime } from './cron.ts';
import { actorOf, type Connection } from './settings.ts';

export type JobName = 'pull' | 'sweep';

export interface ScheduledJob {
  /** Whether a time of the schedule has passed since the last run; a new schedule begins with its next time. */
  isDue(now: Temporal.Instant): Promise<boolean>;
  /** The run that began at `now` did its work. */
  done(now: Temporal.Instant): Promise<void>;
}

const READ = 'SELECT at FROM connection_run WHERE connection = ? AND job = ?';
const SAVE = `INSERT INTO connection_run (connection, job, at) VALUES (?, ?, ?)
  ON CONFLICT (connection, job) DO UPDATE SET at = excluded.at WHERE excluded.at > connection_run.at`;

/** @param expression cron, in UTC */
export function scheduledJob(
  store: Pick<Store, 'query' | 'commit'>,
  connection: Connection,
  job: JobName,
  expression: string,
): ScheduledJob {
  const key: SqlValue[] = [connection.name, job];
  /** No time of the schedule is between the last run and here. */
  let quietUntil: Temporal.Instant | undefined;

  async function lastRun(): Promise<Temporal.Instant | undefined> {
    const [row] = await store.query(READ, key);
    return row && Temporal.Instant.fromEpochMilliseconds(Number(row.at));
  }
  async function done(now: Temporal.Instant): Promise<void> {
    await store.commit(actorOf(connection), [], [{ sql: SAVE, params: [...key, now.epochMilliseconds] }]);
    quietUntil = now;
  }
  return {
    async isDue(now) {
      if (quietUntil && lastTime(expression, quietUntil, now) === undefined) {
        quietUntil = now;
        return false;
      }
      // Another process may have run it meanwhile.
      const ran = await lastRun();
      if (ran && lastTime(expression, ran, now) !== undefined) return true;
      if (ran === undefined) await done(now);
      quietUntil = now;
      return false;
    },
    done,
  };
}
