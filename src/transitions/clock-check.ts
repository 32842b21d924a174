// A machine whose clock is far ahead would raise and escalate what is not due yet, and nothing takes that back. The
// database's clock is the second opinion; SQLite's is the machine's own and has none.
import type { Clock } from '../clock.ts';
import type { Store } from '../store/store.ts';

/** As text on every engine: `2026-11-28 20:15:00`, with fraction and offset on PostgreSQL. */
const NOW = 'SELECT CAST(CURRENT_TIMESTAMP AS TEXT) AS now';
const MOST_MINUTES = 5;

/** Whole seconds that this machine's clock is ahead of the database's; negative when it is behind. */
export async function secondsAhead(store: Store, clock: Clock): Promise<number> {
  const [row] = await store.query(NOW);
  const text = String(row?.now ?? '');
  const theirs = Temporal.Instant.from(/[+-]\d\d(:?\d\d)?$/.test(text.slice(10)) ? text : `${text}Z`);
  return Math.round(theirs.until(clock.real()).total('seconds'));
}

export const isFarAhead = (seconds: number) => seconds > MOST_MINUTES * 60;
export const isFarApart = (seconds: number) => Math.abs(seconds) > MOST_MINUTES * 60;
