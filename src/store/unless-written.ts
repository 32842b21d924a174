// A commit that holds only while nobody has written what would have changed its plan: looked at under the write lock and
// before anything is written, where nobody can come between.
import { Fault } from '../fault.ts';
import type { Group } from './group.ts';
import type { UnlessWritten } from './store.ts';
import { logEntry, VERSION_COLUMNS } from './stored.ts';

/** @throws Fault conflict */
export async function refuseWritten({ tx }: Group, { type, after, stops }: UnlessWritten): Promise<void> {
  const sql = `SELECT ${VERSION_COLUMNS}, actor, origin, kind, client FROM version
    WHERE type = ? AND sequence > ? ORDER BY sequence`;
  const written = await tx.all(sql, [type, after]);
  if (!written.some((row) => stops(logEntry(row)))) return;
  throw new Fault(
    'conflict',
    `A ${type} that this plan did not know of has been written meanwhile; nothing was written.`,
  );
}
