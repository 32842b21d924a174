// Takes a pulled resource or a page in once more, by the path of every pull. docs/sync-spec.md#I22
import type { Bundle } from '@medplum/fhirtypes';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import { type ElementDifference, elementDifferences } from '../../fhir/element-diff.ts';
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { comparable, jsonOf, parseBody, resourceOf } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLinksByRemote } from '../identity.ts';
import type { Incoming } from '../pull/incoming.ts';
import { planPage } from '../pull/plan-page.ts';
import { applyPage, readPage } from '../pull/pull-page.ts';
import { writeMessage } from './message-log.ts';
import { readMessage, type StoredMessage } from './message-search.ts';

export type Source = 'remote' | 'stored';
type Repeated =
  | { readonly kind: 'resource'; readonly type: string; readonly remoteId: string }
  | { readonly kind: 'page'; readonly type: string; readonly url: string };

/** Why nothing was done; `outcome` is the class of the failure where the remote said no. */
interface Refusal {
  readonly outcome: string;
  readonly detail: string;
}

/** @returns why nothing was taken in; otherwise the messages say what came of it */
export async function pullAgain(
  context: RunContext,
  message: StoredMessage,
  what: Repeated,
  from: Source,
  lease: Lease,
): Promise<Refusal | undefined> {
  const run = ownExchanges(context);
  const page = await pageOf(run, message, what, from);
  if ('outcome' in page) {
    await run.store.commit(actorOf(run.connection, run.runId), [], exchangesOf(run, what.type, page.outcome));
    return page;
  }
  await applyPage(run, what.type, page, () => [lease.fence, ...exchangesOf(run, what.type, 'read')]);
  return undefined;
}

const WOULD: Record<Incoming['outcome'], string> = {
  echo: 'unchanged',
  'out-of-scope': 'out-of-scope',
  created: 'would-create',
  updated: 'would-update',
  merged: 'would-update',
  linked: 'would-link',
  deleted: 'would-delete',
  waiting: 'unchanged',
  held: 'would-wait',
  replaced: 'would-follow',
  lost: 'would-make-again',
  conflict: 'would-conflict',
};

/** What taking it in would do, resource by resource; nothing but messages is written. */
export async function forecastPull(
  context: RunContext,
  message: StoredMessage,
  what: Repeated,
  from: Source,
): Promise<Refusal | { readonly outcome: string; readonly differences: ElementDifference[] }> {
  const run = ownExchanges(context);
  const { store, connection, runId, replayOf } = run;
  const page = await pageOf(run, message, what, from);
  const about = { connection: connection.name, runId, direction: 'pull', type: what.type, replayOf } as const;
  const rows = exchangesOf(run, what.type, 'outcome' in page ? page.outcome : 'read');
  const outcomes = new Set<string>();
  const differences: ElementDifference[] = [];
  if (!('outcome' in page)) {
    const { entries, refused } = readPage(what.type, page);
    const planned = await planPage(run, what.type, entries);
    for (const one of planned.incoming) {
      const outcome = WOULD[one.outcome];
      outcomes.add(outcome);
      differences.push(...(await differencesOf(run, one)));
      const { localId, remoteId } = one;
      rows.push(writeMessage({ ...about, localId, remoteId, outcome }, realNow(run)));
    }
    for (const { remoteId, detail } of [...refused, ...planned.refused]) {
      outcomes.add('would-quarantine');
      rows.push(writeMessage({ ...about, remoteId, outcome: 'would-quarantine', detail }, realNow(run)));
    }
  }
  await store.commit(actorOf(connection, runId), [], rows);
  if ('outcome' in page) return page;
  return { outcome: outcomes.size === 0 ? 'unchanged' : [...outcomes].sort().join(', '), differences };
}

/** Our copy before and after. */
async function differencesOf(
  { store }: RunContext,
  { changes, type, localId }: Incoming,
): Promise<ElementDifference[]> {
  const [change] = changes;
  if (!change || !('resource' in change) || localId === undefined) return [];
  const stored = await store.read(type, localId);
  const before = stored && stored.operation !== 'delete' ? comparable(parseBody(stored.content)) : undefined;
  return elementDifferences([before, comparable(jsonOf(change.resource))]);
}

async function pageOf(
  run: RunContext,
  message: StoredMessage,
  what: Repeated,
  from: Source,
): Promise<Bundle | Refusal> {
  if (what.kind === 'page') {
    const reply = await run.client.page(what.url);
    return reply.ok ? reply.value.body : { outcome: reply.failure.class, detail: reply.failure.message };
  }
  if (from === 'stored') return storedPage(run, message, what.remoteId);
  const reply = await run.client.read(what.type, what.remoteId);
  if (!reply.ok) return { outcome: reply.failure.class, detail: reply.failure.message };
  return reply.value.body ? pageWith(jsonOf(reply.value.body)) : { outcome: 'transient', detail: 'An empty answer.' };
}

async function storedPage(run: RunContext, message: StoredMessage, remoteId: string): Promise<Bundle | Refusal> {
  const { response, responseBytes = 0, type = '' } = await readMessage(run.store, message.id);
  if (response === undefined || Buffer.byteLength(response) < responseBytes) {
    return { outcome: 'not-replayable', detail: 'Its body was not kept whole; read it from the remote again.' };
  }
  const body = parseBody(response);
  const link = (await readLinksByRemote(run.store, run.connection.name, type, [remoteId])).get(remoteId);
  if (link?.baseRemote && isOlder(body, link.baseRemote)) {
    return {
      outcome: 'outdated',
      detail: 'A newer version of it has been taken in since; read it from the remote again.',
    };
  }
  return pageWith(body);
}

function pageWith(body: JsonObject): Bundle {
  return { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: resourceOf(body) }] };
}

function isOlder(body: JsonObject, known: JsonObject): boolean {
  const [mine, theirs] = [body, known].map(({ meta }) => {
    const { lastUpdated } = (meta ?? {}) as { lastUpdated?: unknown };
    return typeof lastUpdated === 'string' ? lastUpdated : undefined;
  });
  // Without times nobody knows, and what is known stays.
  if (mine === undefined || theirs === undefined) return true;
  try {
    return Temporal.Instant.compare(mine, theirs) < 0;
  } catch {
    return true;
  }
}

function exchangesOf(run: RunContext, type: string, outcome: string): Statement[] {
  const { connection, runId, replayOf } = run;
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome, replayOf } as const;
  return run.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(run)));
}
