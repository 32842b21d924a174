// Reads a stream again from an earlier moment, because a person says so. What is here already comes back as an echo, so
// reading twice changes nothing. docs/sync-spec.md#I3
import type { Clock } from '../../clock.ts';
import { Fault } from '../../fault.ts';
import { withLease } from '../../store/lease.ts';
import type { Actor, Statement, Store } from '../../store/store.ts';
import { pullLease } from '../connections/same-server.ts';

const LEASE = Temporal.Duration.from({ seconds: 60 });

/**
 * @param to the remote's time that the stream goes back to; null for the beginning
 * @returns the new watermark
 * @throws Fault not-found | unprocessable (later than the watermark: that would skip) | conflict (a pull is under way)
 */
export async function rewindStream(
  store: Store,
  clock: Clock,
  actor: Actor,
  streamKey: string,
  to: Temporal.Instant | null,
): Promise<string | null> {
  const [known] = await store.query('SELECT connection, type FROM checkpoint WHERE stream_key = ?', [streamKey]);
  if (!known) throw new Fault('not-found', `There is no stream ${streamKey}.`);
  const result = await withLease(store, clock, pullLease(String(known.connection)), LEASE, async ({ fence }) => {
    const [row] = await store.query('SELECT high_water FROM checkpoint WHERE stream_key = ?', [streamKey]);
    const reached = row?.high_water == null ? undefined : String(row.high_water);
    if (to !== null && (reached === undefined || Temporal.Instant.compare(to, reached) > 0)) {
      const where = reached ?? 'nowhere yet';
      throw new Fault('unprocessable', `The stream has come to ${where}; going forward would leave something out.`);
    }
    const mark = to === null ? null : to.toString();
    const sql = `UPDATE checkpoint SET high_water = ?, cursor = NULL, window_start = NULL, window_max = NULL
      WHERE stream_key = ?`;
    const forget = forgetRosterOf(String(known.connection), String(known.type));
    await store.commit(actor, [], [{ sql, params: [mark, streamKey], rows: 1 }, forget, fence]);
    return mark;
  });
  if (result.held) return result.value;
  throw new Fault('conflict', 'The stream is being read right now; try again when the pull has ended.');
}

/** Patients' answers that are known to be unchanged would not be read again. */
function forgetRosterOf(connection: string, type: string): Statement {
  return { sql: 'DELETE FROM roster WHERE connection = ? AND type = ?', params: [connection, type] };
}
