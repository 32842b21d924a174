// The first load of a connection by bulk export, where the server offers it and the connection allows it: one job, whose
// steps are taken pull by pull. As long as it runs, the streams of its types wait; when it is done, they begin with the
// moment that the export is of; when it cannot be done, they begin from the beginning, as without it. docs/sync-spec.md#I33
import type { RemoteFailure } from '../../remote/result.ts';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { readCheckpoint, saveCheckpoint } from '../checkpoint.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { auditExchange } from '../messages/audit-exchange.ts';
import { ExchangeLog, writeMessage } from '../messages/message-log.ts';
import type { BulkRun } from './bulk-run.ts';
import { exportPath } from './export-path.ts';
import { forgetFiles, type Job, readFiles, readJob, saveFile, saveJob } from './job-rows.ts';
import { loadFile } from './load-file.ts';
import { readManifest } from './manifest.ts';

const MOST_ATTEMPTS = 3;
const ASK_AGAIN = 30_000;
const TRY_AGAIN = 60_000;
/** Exports of large hospitals take days. */
const LONGEST = 7 * 24 * 3_600_000;
const NONE: ReadonlySet<string> = new Set();

/** @returns types that the job still brings, so that their streams must wait */
export async function firstLoad(run: RunContext, types: readonly string[], lease: Lease): Promise<ReadonlySet<string>> {
  const { store, connection, remote } = run;
  if (!connection.bulk) return NONE;
  const known = await readJob(store, connection.name);
  let job = known ?? (await newJob(run, types));
  if (!job) return NONE;
  const exchanges = new ExchangeLog((exchange) => auditExchange(run, run.runId, exchange, undefined));
  const bulk: BulkRun = { run, client: remote.bulk(exchanges.record), exchanges, lease };
  if (job.state === 'requested') job = await request(bulk, job);
  if (job.state === 'loading') job = await load(bulk, job);
  return job.state === 'done' || job.state === 'failed' ? NONE : new Set(job.types);
}

/** The job that a connection without one may have: of types that nothing was read of yet. */
async function newJob(run: RunContext, types: readonly string[]): Promise<Job | undefined> {
  const { store, connection } = run;
  const rows = await store.query('SELECT DISTINCT type FROM checkpoint WHERE connection = ?', [connection.name]);
  const begun = new Set(rows.map(({ type }) => String(type)));
  const fresh = types.filter((type) => !begun.has(type));
  if (fresh.length === 0 || exportPath(run, fresh) === undefined) return undefined;
  const now = realNow(run);
  const nothing = { statusUrl: undefined, transactionTime: undefined, detail: undefined };
  return { ...nothing, state: 'requested', types: fresh, attempts: 0, nextAt: now, at: now };
}

async function request(bulk: BulkRun, job: Job): Promise<Job> {
  const { run, client } = bulk;
  const now = realNow(run);
  if (now < job.nextAt) return job;
  if (now - job.at > LONGEST) return fail(bulk, job, 'The export was not ready after a week.');
  if (job.statusUrl === undefined) {
    const path = exportPath(run, job.types);
    if (path === undefined) return fail(bulk, job, 'The server does not offer the export any more.');
    const begun = await client.kickOff(path);
    const tried: Job = { ...job, attempts: job.attempts + 1 };
    if (begun.ok) return save(bulk, { ...tried, statusUrl: begun.value, nextAt: now, detail: undefined });
    const isHopeless = tried.attempts >= MOST_ATTEMPTS || !isTransient(begun.failure);
    return isHopeless ? fail(bulk, tried, begun.failure.message) : later(bulk, tried, begun.failure);
  }
  const answer = await client.status(job.statusUrl);
  if (!answer.ok) {
    return isTransient(answer.failure) ? later(bulk, job, answer.failure) : anew(bulk, job, answer.failure);
  }
  if (answer.value.state === 'working') {
    const wait = answer.value.wait?.total('milliseconds') ?? ASK_AGAIN;
    return save(bulk, { ...job, nextAt: now + Math.max(1_000, wait) });
  }
  return begin(bulk, job, answer.value.manifest);
}

/** Writes down which files there are. */
async function begin(bulk: BulkRun, job: Job, text: string): Promise<Job> {
  const { connection, remote } = bulk.run;
  const manifest = readManifest(text, remote.baseUrl);
  if (typeof manifest === 'string') return fail(bulk, job, manifest);
  const own = new URL(remote.baseUrl).origin;
  const order = (type: string) => (job.types.includes(type) ? job.types.indexOf(type) : job.types.length);
  const files = manifest.files.toSorted((a, b) => order(a.type) - order(b.type));
  const rows = files.map(({ type, url }, position) =>
    saveFile(connection.name, {
      position,
      type,
      url,
      withToken: manifest.requiresAccessToken && new URL(url).origin === own,
      state: 'waiting',
      lines: 0,
    }),
  );
  const { transactionTime } = manifest;
  const loading: Job = { ...job, state: 'loading', transactionTime, nextAt: realNow(bulk.run) };
  return save(bulk, loading, [forgetFiles(connection.name), ...rows]);
}

async function load(bulk: BulkRun, job: Job): Promise<Job> {
  const { run, lease } = bulk;
  if (realNow(run) < job.nextAt) return job;
  for (const file of await readFiles(run.store, run.connection.name)) {
    if (file.state === 'done') continue;
    const outcome = await loadFile(bulk, file, job.types);
    if (outcome === 'stopped' || run.signal.aborted || lease.signal.aborted) return job;
    if (outcome === 'done') continue;
    return isTransient(outcome) ? later(bulk, job, outcome) : anew(bulk, job, outcome);
  }
  return finish(bulk, job);
}

/** From here on the streams go on from the moment of the export. */
async function finish(bulk: BulkRun, job: Job): Promise<Job> {
  const { run, client } = bulk;
  const { store, connection, remote, capability } = run;
  const now = realNow(run);
  const { transactionTime: highWater } = job;
  const checkpoints: Statement[] = [];
  for (const type of job.types) {
    const known = await readCheckpoint(store, connection.name, type, remote.baseUrl, connection.overlapSeconds);
    const history = [{ runId: run.runId, highWater, applied: 0 }];
    checkpoints.push(saveCheckpoint({ ...known, highWater, epoch: capability.epoch, history, ranAt: now }));
  }
  const done = await save(bulk, { ...job, state: 'done', detail: undefined }, [
    ...checkpoints,
    forgetFiles(connection.name),
  ]);
  // A courtesy: a server keeps what is not given back until it expires.
  if (job.statusUrl !== undefined) await client.remove(job.statusUrl);
  await save(bulk, done);
  return done;
}

/**
 * The export is gone or cannot be had as it is: it is asked for once more, a few times. What the server did not refuse but
 * Baton would not take would be the same again.
 */
async function anew(bulk: BulkRun, job: Job, failure: RemoteFailure): Promise<Job> {
  if (job.attempts >= MOST_ATTEMPTS || failure.status === undefined) return fail(bulk, job, failure.message);
  const nothing = { statusUrl: undefined, transactionTime: undefined };
  const next: Job = { ...job, ...nothing, state: 'requested', nextAt: realNow(bulk.run), detail: failure.message };
  return save(bulk, next, [forgetFiles(bulk.run.connection.name)]);
}

async function later(bulk: BulkRun, job: Job, failure: RemoteFailure): Promise<Job> {
  const wait = failure.retryAfter?.total('milliseconds') ?? TRY_AGAIN;
  return save(bulk, { ...job, nextAt: realNow(bulk.run) + wait, detail: failure.message });
}

async function fail(bulk: BulkRun, job: Job, detail: string): Promise<Job> {
  const { run } = bulk;
  const about = { connection: run.connection.name, runId: run.runId, direction: 'pull', outcome: 'stopped' } as const;
  const sentence = `${detail} The first load goes on page by page.`;
  const message = writeMessage({ ...about, detail: sentence }, realNow(run));
  run.log.warn({ connection: run.connection.name }, 'the first load by bulk export failed; it goes on page by page');
  return save(bulk, { ...job, state: 'failed', detail: sentence }, [forgetFiles(run.connection.name), message]);
}

async function save(bulk: BulkRun, job: Job, alongside: readonly Statement[] = []): Promise<Job> {
  const { run, exchanges, lease } = bulk;
  const { store, connection, runId } = run;
  const about = { connection: connection.name, runId, direction: 'pull', outcome: 'bulk' } as const;
  const messages = exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(run)));
  const statements = [saveJob(connection.name, job), ...alongside, ...messages, lease.fence];
  await store.commit(actorOf(connection, runId), [], statements);
  return job;
}

function isTransient(failure: RemoteFailure): boolean {
  return failure.class === 'transient' || failure.class === 'auth';
}
