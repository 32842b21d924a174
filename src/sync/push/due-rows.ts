// Hands the rows that are due to the workers of a run, the longest due first. Read in batches, because finding what is due
// costs as much for one as for many.
import type { ConnectionContext } from '../context.ts';
import { realNow } from '../context.ts';
import { isDue, nextDue, type OutboxRow } from './outbox.ts';

const BATCH = 256;

export interface DueRows {
  /** The next row that nobody has, and that is still due; undefined when nothing is. */
  next(): Promise<OutboxRow | undefined>;
  /** The row may be handed out again. */
  done(row: OutboxRow): void;
}

export function dueRows(context: ConnectionContext): DueRows {
  const { store, connection } = context;
  const taken = new Set<string>();
  let ready: OutboxRow[] = [];
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const rows = await nextDue(store, connection.name, realNow(context), BATCH);
    ready = rows.filter(({ id }) => !taken.has(id));
  }

  return {
    async next() {
      for (;;) {
        const row = ready.shift();
        if (row && taken.has(row.id)) continue;
        if (row) {
          taken.add(row.id);
          // Somebody may have sent it along with another since it was read.
          if (await isDue(store, row, realNow(context))) return row;
          taken.delete(row.id);
          continue;
        }
        reading ??= read().finally(() => {
          reading = undefined;
        });
        await reading;
        if (ready.length === 0) return undefined;
      }
    },
    done: ({ id }) => void taken.delete(id),
  };
}
