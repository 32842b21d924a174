// A run goes on with what the server states by now: that is asked again after an answer which speaks against what it stated.
// docs/sync-spec.md#I29
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { noteCapability } from './note-capability.ts';
import { actorOf } from './settings.ts';

/** The run itself when nothing is known to have changed. What changed is told. */
export async function upToDate(context: RunContext): Promise<RunContext> {
  const { store, connection, remote, runId, capability } = context;
  const { client, exchanges } = ownExchanges(context);
  const stated = await remote.capability(client);
  const about = { connection: connection.name, runId, direction: 'pull', outcome: 'capability' } as const;
  const now = realNow(context);
  const asked = exchanges.take().map((exchange) => writeMessage({ ...about, exchange, keepResponse: false }, now));
  if (asked.length > 0) await store.commit(actorOf(connection, runId), [], asked);
  if (!stated.ok || stated.value === capability) return context;
  const renewed = { ...context, capability: stated.value };
  await noteCapability(renewed);
  return renewed;
}
