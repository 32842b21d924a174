// Reads what changed of one type since the watermark, page by page. A crash between two pages repeats at most one of them; an
// expired page starts the window again, not the world. docs/sync-spec.md#I3 docs/sync-spec.md#I6
import type { Bundle } from '@medplum/fhirtypes';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { RemoteFailure, Result } from '../../remote/result.ts';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { advance, type Checkpoint, readCheckpoint, saveCheckpoint, windowFrom } from '../checkpoint.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { LatestVersions } from './latest-versions.ts';
import { nextLink, PageGuard } from './page-guard.ts';
import { noteProgress } from './progress.ts';
import { applyPage, type PageResult } from './pull-page.ts';
import type { PullResult } from './pull-result.ts';
import { type PullPlan, type Stream, streamOf } from './strategy.ts';

/** Reads what changed since the watermark to its end, by `_lastUpdated` or by history. Pauses after each page. */
export async function* readWindow(
  context: RunContext,
  type: string,
  plan: PullPlan,
  lease: Lease,
): AsyncGenerator<undefined, PullResult> {
  const key = streamOf(context, type, plan);
  let checkpoint = await startingPoint(context, type, key);
  // The first time all there is is listed: the versions before do not matter, nor what was deleted by then.
  const history = plan.strategy === 'history' && checkpoint.highWater !== undefined;
  const latest = history ? new LatestVersions(type) : undefined;
  let reply = await firstPage(context, checkpoint, history);
  const guard = new PageGuard();
  let applied = 0;
  for (let pages = 1; ; pages += 1) {
    if (lease.signal.aborted || context.signal.aborted) return { outcome: 'stopped', applied };
    if (!reply.ok && checkpoint.cursor !== undefined && isExpired(reply.failure)) {
      checkpoint = { ...checkpoint, cursor: undefined, windowStart: undefined, windowMax: undefined };
      guard.reset();
      reply = await firstPage(context, checkpoint, history);
    }
    if (!reply.ok) return { ...(await fail(context, type, reply.failure, applied)), atStart: pages === 1 };
    const page = reply.value;
    const next = nextLink(page.body);
    const runaway = guard.check(page.body, next);
    if (runaway) {
      const anew = guard.startsOver ? [saveCheckpoint({ ...checkpoint, cursor: undefined }), lease.fence] : [];
      return fail(context, type, runaway, applied, anew);
    }
    const before = checkpoint;
    const date = page.date?.toString();
    const { current, gone } = latest ? latest.take(page.body) : { current: page.body, gone: [] };
    const result: PageResult = await applyPage(
      context,
      type,
      current,
      ({ newest, applied: brought, quarantined }) => {
        const run = { runId: context.runId, applied: applied + brought, now: realNow(context) };
        checkpoint = advance(before, { newest, date, next }, run);
        // A history is read from the newest version back: only from its beginning it is known which version that is.
        const saved = history && next !== undefined ? noteProgress(context) : saveCheckpoint(checkpoint);
        return [saved, lease.fence, ...messages(context, type, brought + quarantined > 0)];
      },
      { remoteIds: gone, isLost: false },
    );
    applied += result.applied;
    if (next === undefined) return { outcome: 'done', applied };
    yield;
    reply = await context.client.page(next);
  }
}

/** Where reading goes on; from the beginning when another installation answers under the same address. */
async function startingPoint(context: RunContext, type: string, stream: Stream): Promise<Checkpoint> {
  const { store, connection, remote, epoch, log } = context;
  const overlap = Math.max(connection.overlapSeconds, remote.vendor.overlapSeconds);
  const { strategy, filter } = stream;
  const known = await readCheckpoint(store, connection.name, type, remote.baseUrl, overlap, strategy, filter);
  if (known.epoch === undefined || known.epoch === epoch) return { ...known, epoch };
  log.warn(
    { connection: connection.name, type },
    'another server answers under this address; reading everything again',
  );
  return { ...known, epoch, highWater: undefined, cursor: undefined, windowStart: undefined, windowMax: undefined };
}

function firstPage(
  context: RunContext,
  checkpoint: Checkpoint,
  history: boolean,
): Promise<Result<FhirReply & { readonly body: Bundle }>> {
  const { client, remote } = context;
  if (checkpoint.cursor !== undefined) return client.page(checkpoint.cursor);
  const from = windowFrom(checkpoint);
  const since = from === undefined ? '' : encodeURIComponent(from);
  const count = `_count=${remote.vendor.pageSize}`;
  if (history) return client.search(`${checkpoint.type}/_history?_since=${since}&${count}`);
  const changed = since === '' ? '' : `_lastUpdated=ge${since}&`;
  // A server that only keeps a history need not know how to sort; its list is whole without.
  const sorted = checkpoint.strategy === 'history' ? '' : '_sort=_lastUpdated&';
  return client.search(`${checkpoint.type}?${changed}${sorted}${count}`);
}

function isExpired({ status }: RemoteFailure): boolean {
  return status === 400 || status === 404 || status === 410;
}

async function fail(
  context: RunContext,
  type: string,
  failure: RemoteFailure,
  applied: number,
  alongside: readonly Statement[] = [],
): Promise<PullResult> {
  const { store, connection, runId } = context;
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome: failure.class } as const;
  const now = realNow(context);
  // What came with a 2xx and is no page at all says so in its own row.
  const asked = context.exchanges.take().map((exchange) => {
    const detail = exchange.failure ? undefined : failure.message;
    return writeMessage({ ...about, exchange, detail }, now);
  });
  const closing = writeMessage({ ...about, outcome: 'stopped', detail: failure.message }, now);
  await store.commit(actorOf(connection, runId), [], [...asked, closing, ...alongside]);
  return { outcome: 'failed', applied, failure };
}

/** The exchanges since the last page. Answers that brought nothing are not kept. */
function messages(context: RunContext, type: string, keepResponse: boolean): Statement[] {
  const { connection, runId } = context;
  const outcome = keepResponse ? 'applied' : 'unchanged';
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome, keepResponse } as const;
  return context.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(context)));
}
