// Tells when the server's clock and ours drift apart. Watermarks never depend on ours, but a person reading both logs does.
// docs/sync-spec.md#I4
import { type RunContext, realNow } from '../context.ts';
import { readFact, saveFact } from '../pull/remote-fact.ts';
import { actorOf } from './settings.ts';

const FACT = 'clock';
const MOST_SECONDS = 60;

/** One event when it begins, one when it ends. */
export async function noteClock(context: RunContext): Promise<void> {
  const { store, connection, remote, runId, emit, log } = context;
  const ahead = remote.skew();
  if (ahead === undefined) return;
  const state = Math.abs(ahead) >= MOST_SECONDS ? 'apart' : 'together';
  const known = (await readFact(store, connection.name, FACT))?.value ?? 'together';
  if (known === state) return;
  await store.commit(actorOf(connection, runId), [], [saveFact(connection.name, FACT, state, realNow(context))]);
  log.warn({ connection: connection.name, secondsAhead: ahead }, 'the clocks of the server and of Baton');
  const detail =
    state === 'apart'
      ? `The server's clock is ${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'} ours.`
      : "The server's clock and ours agree again.";
  emit({ kind: 'clock', connection: connection.name, detail, isOver: state === 'together' });
}
