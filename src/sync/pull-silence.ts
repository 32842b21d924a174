// For how long a connection has not been read as it should be. docs/sync-spec.md#I23
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import { readJob } from './bulk/job-rows.ts';
import { nextTime } from './connections/cron.ts';
import { knownPlans } from './connections/note-capability.ts';
import { pullLease } from './connections/same-server.ts';
import type { Connection } from './connections/settings.ts';
import { PROGRESS, pulledTypes, TO_BE_READ } from './pull/progress.ts';
import { readFact, readFacts } from './pull/remote-fact.ts';

export interface PullSilence {
  /**
   * Since the type that was read longest ago was read, or since it was to be read for the first time. Types that the server has
   * no door for, or that a first load brings, do not count. null before the first pull.
   */
  readonly oldestRunSeconds: number | null;
  /** Since the time of the schedule at which that type should have been read again; null without a schedule. */
  readonly missedPullSeconds: number | null;
  /** Since a pull that is at work now, in whichever process, last brought something; null when none is. */
  readonly atWorkSeconds: number | null;
}

const LAST_READ = 'SELECT type, MAX(ran_at) AS n FROM checkpoint WHERE connection = ? GROUP BY type';

export async function pullSilence(store: Store, connection: Connection, clock: Clock): Promise<PullSilence> {
  const now = clock.real().epochMilliseconds;
  const seconds = (since: number) => Math.max(0, Math.round((now - since) / 1000));
  const rows = await store.query(LAST_READ, [connection.name]);
  const lastRead = new Map(rows.map(({ type, n }) => [String(type), Number(n)]));
  const since = await silentSince(store, connection, lastRead);
  const missedAt = since === undefined ? undefined : timeAfter(connection, clock, since);
  const workingAt = await atWork(store, connection, now, Math.max(0, ...lastRead.values()));
  return {
    oldestRunSeconds: since === undefined ? null : seconds(since),
    missedPullSeconds: missedAt === undefined ? null : seconds(missedAt),
    atWorkSeconds: workingAt === undefined ? null : seconds(workingAt),
  };
}

async function silentSince(
  store: Store,
  connection: Connection,
  lastRead: ReadonlyMap<string, number>,
): Promise<number | undefined> {
  const begun = await readFacts(store, connection.name, TO_BE_READ);
  const plans = await knownPlans(store, connection.name);
  const job = await readJob(store, connection.name);
  const isLoading = connection.bulk && (job?.state === 'requested' || job?.state === 'loading');
  const loading = isLoading ? job.types : [];
  const moments = pulledTypes(connection)
    .filter((type) => plans[type]?.strategy !== 'none' && !loading.includes(type))
    .flatMap((type) => lastRead.get(type) ?? begun.get(type)?.at ?? []);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** The first time of the schedule after a moment. Its times are those of Baton's clock, which a sandbox may have moved. */
function timeAfter({ schedule }: Connection, clock: Clock, moment: number): number | undefined {
  if (schedule?.pull === undefined) return undefined;
  const moved = clock.now().epochMilliseconds - clock.real().epochMilliseconds;
  const next = nextTime(schedule.pull, Temporal.Instant.fromEpochMilliseconds(moment + moved));
  return next && next.epochMilliseconds - moved;
}

async function atWork(store: Store, { name }: Connection, now: number, lastPage: number): Promise<number | undefined> {
  const lease = await store.query('SELECT 1 FROM lease WHERE name = ? AND until > ?', [pullLease(name), now]);
  if (lease.length === 0) return undefined;
  return Math.max(lastPage, (await readFact(store, name, PROGRESS))?.at ?? 0);
}
