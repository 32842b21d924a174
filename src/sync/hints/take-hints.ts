// Reads what was hinted at, now, from the server itself: a hint is never trusted as content. docs/sync-spec.md#I32
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import type { RemoteFailure, Result } from '../../remote/result.ts';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { actorOf } from '../connections/settings.ts';
import { type ConnectionContext, ownExchanges, type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { pullType } from '../pull/pull.ts';
import { applyPage } from '../pull/pull-page.ts';
import { dueHints, endHint, type HintRow, putOff } from './hint-rows.ts';
import { keepSubscriptions } from './subscriptions.ts';

/** Whether there is something to do. */
export async function hasHints(context: ConnectionContext): Promise<boolean> {
  return (await dueHints(context.store, context.connection.name, realNow(context), 1)).length > 0;
}

/**
 * The part of a pull that is about hints: the remote is asked for them, and those that wait are taken.
 * @param read types whose streams were read in this run
 */
export async function followHints(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  read: ReadonlySet<string>,
): Promise<void> {
  // Before the Subscriptions: what they mark when they begin came after the streams were read.
  await takeHints(run, types, lease, read);
  const hook = run.hook?.();
  if (hook) await keepSubscriptions(run, types, lease, hook);
}

const MOST_PER_RUN = 1_000;
const AT_A_TIME = 20;

/**
 * @param types in the order in which they are pulled
 * @param read types whose streams were read in this run already
 */
export async function takeHints(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  read: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { store, connection } = run;
  const rows = await dueHints(store, connection.name, realNow(run), MOST_PER_RUN);
  const ended = rows.filter(({ type, remoteId }) => !types.includes(type) || (remoteId === '' && read.has(type)));
  if (ended.length > 0) {
    const statements = ended.map((row) => endHint(connection.name, row));
    await store.commit(actorOf(connection, run.runId), [], [...statements, lease.fence]);
  }
  for (const type of types) {
    const ofType = rows.filter((row) => row.type === type && !ended.includes(row));
    const stream = ofType.find(({ remoteId }) => remoteId === '');
    if (stream) await readStream(run, stream, lease);
    const single = ofType.filter(({ remoteId }) => remoteId !== '');
    for (let at = 0; at < single.length; at += AT_A_TIME) {
      if (lease.signal.aborted || run.signal.aborted) return;
      await readSingle(run, type, single.slice(at, at + AT_A_TIME), lease);
    }
  }
}

async function readStream(run: RunContext, row: HintRow, lease: Lease): Promise<void> {
  const { store, connection, runId } = run;
  const { outcome } = await pullType(run, row.type, lease);
  if (outcome === 'stopped') return;
  const now = realNow(run);
  // A stream that cannot be read now is read at its time anyway; it is tried sooner, but not without end.
  const again = outcome === 'failed' && row.attempts < MOST_ATTEMPTS;
  const next = again ? putOff(connection.name, row, now, run.random()) : endHint(connection.name, row);
  await store.commit(actorOf(connection, runId), [], [next, lease.fence]);
}

const MOST_ATTEMPTS = 10;

async function readSingle(run: RunContext, type: string, rows: readonly HintRow[], lease: Lease): Promise<void> {
  const context = ownExchanges(run);
  const { connection, client, runId } = context;
  const answers = await Promise.all(rows.map(async (row) => ({ row, reply: await client.read(type, row.remoteId) })));
  const now = realNow(context);
  const about = { connection: connection.name, runId, direction: 'pull', type } as const;
  const statements: Statement[] = [];
  const found: Resource[] = [];
  for (const { row, reply } of answers) {
    if (reply.ok && reply.value.body) {
      found.push(reply.value.body);
      statements.push(endHint(connection.name, row));
    } else if (isLater(reply) && row.attempts < MOST_ATTEMPTS) {
      statements.push(putOff(connection.name, row, now, context.random()));
    } else {
      const detail = reply.ok ? undefined : endOf(reply.failure);
      const outcome = reply.ok || isGone(reply.failure) ? 'absent' : reply.failure.class;
      statements.push(
        endHint(connection.name, row),
        writeMessage({ ...about, remoteId: row.remoteId, outcome, detail }, now),
      );
    }
  }
  const page: Bundle = { resourceType: 'Bundle', type: 'collection', entry: found.map((resource) => ({ resource })) };
  await applyPage(context, type, page, ({ applied, quarantined }) => {
    const keepResponse = applied + quarantined > 0;
    const outcome = keepResponse ? 'hinted' : 'unchanged';
    const messages = context.exchanges
      .take()
      .map((exchange) => writeMessage({ ...about, exchange, outcome, keepResponse }, now));
    return [...statements, lease.fence, ...messages];
  });
}

function isLater(reply: Result<FhirReply>): boolean {
  return !reply.ok && reply.failure.class !== 'permanent';
}

function isGone({ status }: RemoteFailure): boolean {
  return status === 404 || status === 410;
}

/** A delete is not believed because of a hint: whoever looks for deletes finds it. docs/sync-spec.md#I21 */
function endOf(failure: RemoteFailure): string {
  return isGone(failure)
    ? 'A hinted resource is not there; that it was deleted is found out by the sweep.'
    : failure.message;
}
