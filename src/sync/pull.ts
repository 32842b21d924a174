// Reads what changed on a remote, type by type, page by page. A crash between two pages repeats at most one of them; an
// expired page starts the window again, not the world. docs/sync-spec.md#I3 docs/sync-spec.md#I6
import type { Bundle } from '@medplum/fhirtypes';
import type { FhirReply } from '../remote/fhir-reply.ts';
import type { RemoteFailure, Result } from '../remote/result.ts';
import type { Lease } from '../store/lease.ts';
import type { Statement } from '../store/store.ts';
import { advance, type Checkpoint, readCheckpoint, saveCheckpoint, windowFrom } from './checkpoint.ts';
import { ownExchanges, type RunContext, realNow } from './context.ts';
import { writeMessage } from './message-log.ts';
import { nextLink, PageGuard } from './page-guard.ts';
import { applyPage, type PageResult } from './pull-page.ts';
import { actorOf } from './settings.ts';

/** `no-strategy`: the server cannot be asked what changed. */
export type PullOutcome = 'done' | 'no-strategy' | 'failed' | 'stopped';

export interface PullResult {
  readonly outcome: PullOutcome;
  readonly applied: number;
  readonly failure?: RemoteFailure;
}

/** Reads the stream of one type to its end, under the lease of the connection's pull. */
export async function pullType(context: RunContext, type: string, lease: Lease): Promise<PullResult> {
  if (!context.capability.searchable(type, '_lastUpdated')) return { outcome: 'no-strategy', applied: 0 };
  return readWindow(ownExchanges(context), type, lease);
}

async function readWindow(context: RunContext, type: string, lease: Lease): Promise<PullResult> {
  let checkpoint = await startingPoint(context, type);
  let reply = await firstPage(context, checkpoint);
  const guard = new PageGuard();
  let applied = 0;
  for (;;) {
    if (lease.signal.aborted || context.signal.aborted) return { outcome: 'stopped', applied };
    if (!reply.ok && checkpoint.cursor !== undefined && isExpired(reply.failure)) {
      checkpoint = { ...checkpoint, cursor: undefined, windowStart: undefined, windowMax: undefined };
      guard.reset();
      reply = await firstPage(context, checkpoint);
    }
    if (!reply.ok) return fail(context, type, reply.failure, applied);
    const page = reply.value;
    const next = nextLink(page.body);
    const runaway = guard.check(page.body, next);
    if (runaway) {
      const anew = guard.startsOver ? [saveCheckpoint({ ...checkpoint, cursor: undefined }), lease.fence] : [];
      return fail(context, type, runaway, applied, anew);
    }
    const before = checkpoint;
    const date = page.date?.toString();
    const result: PageResult = await applyPage(
      context,
      type,
      page.body,
      ({ newest, applied: brought, quarantined }) => {
        const run = { runId: context.runId, applied: applied + brought, now: realNow(context) };
        checkpoint = advance(before, { newest, date, next }, run);
        return [saveCheckpoint(checkpoint), lease.fence, ...messages(context, type, brought + quarantined > 0)];
      },
    );
    applied += result.applied;
    if (next === undefined) return { outcome: 'done', applied };
    reply = await context.client.page(next);
  }
}

/** Where reading goes on; from the beginning when another installation answers under the same address. */
async function startingPoint(context: RunContext, type: string): Promise<Checkpoint> {
  const { store, connection, remote, capability, log } = context;
  const known = await readCheckpoint(store, connection.name, type, remote.baseUrl, connection.overlapSeconds);
  const { epoch } = capability;
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
): Promise<Result<FhirReply & { readonly body: Bundle }>> {
  const { client, remote } = context;
  if (checkpoint.cursor !== undefined) return client.page(checkpoint.cursor);
  const from = windowFrom(checkpoint);
  const since = from === undefined ? '' : `_lastUpdated=ge${encodeURIComponent(from)}&`;
  return client.search(`${checkpoint.type}?${since}_sort=_lastUpdated&_count=${remote.vendor.pageSize}`);
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
  const closing = writeMessage({ ...about, outcome: 'stopped', detail: failure.message }, realNow(context));
  await store.commit(actorOf(connection, runId), [], [...messages(context, type, true), closing, ...alongside]);
  return { outcome: 'failed', applied, failure };
}

/** The exchanges since the last page. Answers that brought nothing are not kept. */
function messages(context: RunContext, type: string, keepResponse: boolean): Statement[] {
  const { connection, runId } = context;
  const outcome = keepResponse ? 'applied' : 'unchanged';
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome, keepResponse } as const;
  return context.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(context)));
}
