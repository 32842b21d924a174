// What sync would do, without doing it: the same decisions, but only the message log is written. docs/sync-spec.md#I20
import { sameJson } from '../fhir/canonical-json.ts';
import { comparable } from './body.ts';
import { withholdingOf } from './consent.ts';
import { ownExchanges, type RunContext, realNow } from './context.ts';
import { canPush } from './dependencies.ts';
import { readUnfed } from './feed.ts';
import { readLink } from './identity.ts';
import { writeMessage } from './message-log.ts';
import { planPage, readPage } from './pull-page.ts';
import { createBody } from './push-create.ts';
import { updateBody } from './push-update.ts';
import { rehearsalQuery } from './rehearsal-query.ts';
import { actorOf } from './settings.ts';

/** One message per resource that is not on the remote as it is here. */
export async function dryRunPush(context: RunContext): Promise<number> {
  const { store, connection, capability } = context;
  let found = 0;
  for (const { type, id } of await readUnfed(store, connection)) {
    const stored = await store.read(type, id);
    if (!stored || stored.operation === 'delete') continue;
    const link = await readLink(store, connection.name, type, id);
    if ((await withholdingOf(context, { type, id })).withheld) {
      await note(context, { direction: 'push', type, localId: id, remoteId: link?.remoteId, outcome: 'withheld' });
      found += 1;
      continue;
    }
    const body = link ? await updateBody(context, { stored, link }) : await createBody(context, stored);
    if (link?.baseRemote && sameJson(comparable(body), comparable(link.baseRemote))) continue;
    const possible = link ? capability.supports(type, 'update') : canPush(context, type);
    const outcome = possible ? (link ? 'would-update' : 'would-create') : 'no-capability';
    await note(context, {
      direction: 'push',
      type,
      localId: id,
      remoteId: link?.remoteId,
      outcome,
      body: JSON.stringify(body),
    });
    found += 1;
  }
  return found;
}

/** Looks at the first page of what the remote has, and notes what would come of it. */
export async function dryRunPull(context: RunContext, type: string): Promise<number> {
  const run = ownExchanges(context);
  const query = await rehearsalQuery(run, type);
  if (query === undefined) {
    await note(run, { direction: 'pull', type, outcome: 'no-capability' });
    return 0;
  }
  const reply = await run.client.search(query);
  if (!reply.ok) {
    await note(run, { direction: 'pull', type, outcome: reply.failure.class, detail: reply.failure.message });
    return 0;
  }
  const { entries, refused } = readPage(type, reply.value.body);
  let found = refused.length;
  for (const { outcome, localId, remoteId } of await planPage(run, type, entries)) {
    if (outcome === 'echo' || outcome === 'out-of-scope' || outcome === 'waiting') continue;
    await note(run, { direction: 'pull', type, localId, remoteId, outcome: `would-be-${outcome}` });
    found += 1;
  }
  return found;
}

type Note = Omit<Parameters<typeof writeMessage>[0], 'connection' | 'runId'>;

async function note(context: RunContext, message: Note): Promise<void> {
  const { store, connection, runId } = context;
  const row = writeMessage({ ...message, connection: connection.name, runId }, realNow(context));
  await store.commit(actorOf(connection, runId), [], [row]);
}
