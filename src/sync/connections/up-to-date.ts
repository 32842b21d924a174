// A run goes on with what the server states by now: that is asked again after an answer which speaks against what it stated.
// docs/sync-spec.md#I29
import type { Remote } from '../../remote/remote.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { noteCapability } from './note-capability.ts';
import { actorOf } from './settings.ts';

/** After a statement that could not be had; a run goes on with what it has as long, instead of asking for each resource. */
const PAUSE_MS = 60_000;
const failedAt = new WeakMap<Remote, number>();

/** The run itself when nothing is known to have changed. What changed is told. */
export async function upToDate(context: RunContext): Promise<RunContext> {
  const { store, connection, remote, runId, capability } = context;
  const { client, exchanges } = ownExchanges(context);
  if (realNow(context) - (failedAt.get(remote) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return context;
  const stated = await remote.capability(client);
  const about = { connection: connection.name, runId, direction: 'pull', outcome: 'capability' } as const;
  const now = realNow(context);
  const asked = exchanges.take().map((exchange) => writeMessage({ ...about, exchange, keepResponse: false }, now));
  if (asked.length > 0) await store.commit(actorOf(connection, runId), [], asked);
  if (!stated.ok) failedAt.set(remote, now);
  if (!stated.ok || stated.value === capability) return context;
  const renewed = { ...context, capability: stated.value };
  await noteCapability(renewed);
  return renewed;
}
