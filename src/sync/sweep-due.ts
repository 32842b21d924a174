// When the nightly sweep is due: at two o'clock UTC, or as soon as Baton runs again when it missed that. Remembered, so that
// restarts neither skip nor repeat it.
import type { Store } from '../store/store.ts';
import { readFact, saveFact } from './remote-fact.ts';
import { actorOf, type Connection } from './settings.ts';

const FACT = 'sweep';
const HOUR_OF_NIGHT = 2;

/** The first look only notes the time: what was never pulled need not be swept. */
export async function sweepIsDue(store: Store, connection: Connection, now: Temporal.Instant): Promise<boolean> {
  const last = await readFact(store, connection.name, FACT);
  if (!last) await noteSweep(store, connection, now);
  return last !== undefined && now.epochMilliseconds >= nightAfter(last.at).epochMilliseconds;
}

export async function noteSweep(store: Store, connection: Connection, now: Temporal.Instant): Promise<void> {
  await store.commit(actorOf(connection), [], [saveFact(connection.name, FACT, now.toString(), now.epochMilliseconds)]);
}

function nightAfter(milliseconds: number): Temporal.Instant {
  const time = Temporal.Instant.fromEpochMilliseconds(milliseconds).toZonedDateTimeISO('UTC');
  const tonight = time.startOfDay().add({ hours: HOUR_OF_NIGHT });
  return (Temporal.ZonedDateTime.compare(tonight, time) > 0 ? tonight : tonight.add({ days: 1 })).toInstant();
}
