// Of several processes that read the same log one goes first: who was late lets it, and watches how far it comes. Both would
// do the same work otherwise, and one of them for nothing. Whoever goes first may end at any time: when the cursor stands
// still, the other goes on.
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from './store.ts';

const WATCH = `SELECT (SELECT sequence FROM cursor WHERE name = ?) AS at,
  (SELECT sequence FROM version ORDER BY sequence DESC LIMIT 1) AS head`;

/** Milliseconds between looks: the first, which doubles each time, and the longest. */
const [SHORTEST, LONGEST] = [2, 8];
/** Milliseconds in which a cursor has to move. */
const PATIENCE = 500;

export interface Seen {
  /** Where the cursor stands. */
  readonly at: number;
  /** The other has come to the end; otherwise it stands still. */
  readonly isDone: boolean;
}

/** Resolves when another process has handled everything that is in the log by now, or no other handles it. */
export async function letGoFirst(store: Pick<Store, 'query'>, cursor: string, from: number): Promise<Seen> {
  let [at, gap] = [from, SHORTEST];
  let [end, movedAt]: (number | undefined)[] = [];
  for (;;) {
    const [row] = await store.query(WATCH, [cursor]);
    const now = Number(row?.at ?? at);
    end ??= Number(row?.head ?? 0);
    // From the first answer: a database that is slow to answer says nothing of the other.
    movedAt ??= performance.now();
    if (now >= end) return { at: now, isDone: true };
    if (now > at) [at, movedAt, gap] = [now, performance.now(), SHORTEST];
    else if (performance.now() - movedAt > PATIENCE) return { at, isDone: false };
    await pause(gap);
    gap = Math.min(gap * 2, LONGEST);
  }
}
