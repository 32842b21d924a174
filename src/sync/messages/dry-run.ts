// What sync would do, without doing it: the same decisions, but only the message log is written. docs/sync-spec.md#I20
import type { Bundle } from '@medplum/fhirtypes';
import { sameJson } from '../../fhir/canonical-json.ts';
import { comparable } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLink } from '../identity.ts';
import { projectionTarget } from '../projections/projection-target.ts';
import { planPage } from '../pull/plan-page.ts';
import { readPage } from '../pull/pull-page.ts';
import type { PullResult } from '../pull/pull-result.ts';
import { rehearsalQuery } from '../pull/rehearsal-query.ts';
import { withholdingOf } from '../push/consent.ts';
import { canPush, keyOf, type Ref } from '../push/dependencies.ts';
import { readUnfed } from '../push/feed.ts';
import { readGivenUp, waysOut } from '../push/given-up.ts';
import { goesToHeir } from '../push/hand-over.ts';
import { mergedAway } from '../push/merged-away.ts';
import { createBody } from '../push/push-create.ts';
import { expectedCreate } from '../push/push-match.ts';
import { updateBody } from '../push/push-update.ts';
import { writeMessage } from './message-log.ts';
import { previewProjected } from './preview-projected.ts';

/** A rehearsal shows what a first run would bring; whoever has more pages than this has seen enough. */
const MOST_PAGES = 200;

/**
 * One message per resource that is not on the remote as it is here.
 * @param from log position that an earlier dry run has reached
 * @returns the position that this one has reached
 */
export async function dryRunPush(context: RunContext, from: number | undefined): Promise<number | undefined> {
  const { store, connection, capability } = context;
  const { changed, position } = await readUnfed(store, connection, from);
  const again: Ref[] = [];
  if (from === undefined) {
    for await (const portion of readGivenUp(store, connection, waysOut(context))) again.push(...portion);
  }
  const seen = new Set(changed.map(keyOf));
  for (const { type, id } of [...changed, ...again.filter((ref) => !seen.has(keyOf(ref)))]) {
    if (context.signal.aborted) return from;
    const stored = await store.read(type, id);
    if (!stored) continue;
    const link = await readLink(store, connection.name, type, id);
    const isLinked = link !== undefined && link.state !== 'tombstone';
    const target = projectionTarget(context, type, isLinked);
    const isDeleted = stored.operation === 'delete';
    if (isDeleted && !target) {
      if (isLinked && context.policies[type]?.delete === 'push') {
        const outcome = capability.supports(type, 'delete') ? 'would-delete' : 'no-capability';
        await note(context, { direction: 'push', type, localId: id, remoteId: link.remoteId, outcome });
      }
      continue;
    }
    if (!isDeleted && (await withholdingOf(context, { type, id })).withheld) {
      await note(context, { direction: 'push', type, localId: id, remoteId: link?.remoteId, outcome: 'withheld' });
      continue;
    }
    if (target) {
      const { outcome, detail, body } = await previewProjected(context, stored, target, false);
      if (outcome === 'unchanged') continue;
      const shown = { ...(detail ? { detail } : {}), ...(body ? { body: JSON.stringify(body) } : {}) };
      await note(context, { direction: 'push', type, localId: id, outcome, ...shown });
      continue;
    }
    // It was deleted there, and stays so; or somebody else has taken its place, or its record there.
    if (link ? !isLinked || (await goesToHeir(context, stored, link)) : await mergedAway(context, stored)) continue;
    const body = link ? await updateBody(context, { stored, link }) : await createBody(context, stored);
    if (link?.baseRemote && sameJson(comparable(body), comparable(link.baseRemote))) continue;
    const possible = link ? capability.supports(type, 'update') : canPush(context, type);
    const expected = link ? { outcome: 'would-update' } : expectedCreate(context, type);
    await note(context, {
      direction: 'push',
      type,
      localId: id,
      remoteId: link?.remoteId,
      ...(possible ? expected : { outcome: 'no-capability' }),
      body: JSON.stringify(body),
    });
  }
  return position;
}

/** Looks at everything the remote has, newest first, and notes what would come of it. */
export async function dryRunPull(context: RunContext, type: string): Promise<PullResult> {
  const run = ownExchanges(context);
  const { client, signal } = run;
  const query = await rehearsalQuery(run, type);
  if (query === undefined) {
    await note(run, { direction: 'pull', type, outcome: 'no-capability' });
    return { outcome: 'no-strategy', applied: 0 };
  }
  const seen = new Set<string>();
  let reply = await client.search(query);
  for (let pages = 1; ; pages += 1) {
    if (!reply.ok) {
      await note(run, { direction: 'pull', type, outcome: reply.failure.class, detail: reply.failure.message });
      return { outcome: 'failed', applied: 0, failure: reply.failure };
    }
    await rehearsePage(run, type, reply.value.body);
    const next = reply.value.body.link?.find(({ relation }) => relation === 'next')?.url;
    if (next === undefined) return { outcome: 'done', applied: 0 };
    if (signal.aborted) return { outcome: 'stopped', applied: 0 };
    if (seen.has(next) || pages === MOST_PAGES) {
      const detail = `Stopped after ${pages} pages; there are more.`;
      await note(run, { direction: 'pull', type, outcome: 'stopped', detail });
      return { outcome: 'stopped', applied: 0 };
    }
    seen.add(next);
    reply = await client.page(next);
  }
}

/** The messages of one page, exchanges with the server included, in one commit. */
async function rehearsePage(run: RunContext, type: string, page: Bundle): Promise<void> {
  const { store, connection, runId } = run;
  const about = { connection: connection.name, runId, direction: 'pull', type } as const;
  const now = realNow(run);
  const { entries, refused } = readPage(type, page);
  const planned = await planPage(run, type, entries);
  const rows = run.exchanges
    .take()
    .map((exchange) => writeMessage({ ...about, exchange, outcome: 'looked', keepResponse: false }, now));
  for (const { remoteId } of [...refused, ...planned.refused])
    rows.push(writeMessage({ ...about, remoteId, outcome: 'would-be-quarantined' }, now));
  for (const { outcome, localId, remoteId } of planned.incoming) {
    if (outcome === 'echo' || outcome === 'out-of-scope' || outcome === 'waiting') continue;
    rows.push(writeMessage({ ...about, localId, remoteId, outcome: `would-be-${outcome}` }, now));
  }
  await store.commit(actorOf(connection, runId), [], rows);
}

type Note = Omit<Parameters<typeof writeMessage>[0], 'connection' | 'runId'>;

async function note(context: RunContext, message: Note): Promise<void> {
  const { store, connection, runId } = context;
  const row = writeMessage({ ...message, connection: connection.name, runId }, realNow(context));
  await store.commit(actorOf(connection, runId), [], [row]);
}
