// A reader of the log that does not wait for each commit before it plans the next effect: a busy writer's commits take many
// along, and one effect for each of them would fall behind for ever. Commits stay in the order of the log: each moves the
// cursor from where the one before left it, so that when one fails all behind it fail, too, and are done one by one.
import { advanceCursor } from './cursor.ts';
import type { LogEntry, Statement } from './store.ts';

export interface Ahead {
  /** Effects on their way at a time; each is planned without a pause for anybody else. */
  readonly most: number;
  /**
   * What an entry is about. Its effect is planned when all effects about the same are on disk. Undefined, it is about
   * everything, and may change what the entries behind it are about. Asked of several entries together.
   */
  readonly about: (entry: LogEntry) => Promise<string | undefined>;
  /** The effect, which the function that is returned commits together with `advance`; undefined when there is none. */
  readonly plan: (entry: LogEntry) => Promise<((advance: Statement) => Promise<unknown>) | undefined>;
}

/** How far a reader has come: entries handled, and where its cursor stands. */
export interface Progress {
  readonly count: number;
  readonly saved: number;
}

/** Entries whose subjects are asked for at a time. */
const TOGETHER = 16;

interface Flight {
  readonly about: string | undefined;
  readonly count: number;
  readonly sequence: number;
  readonly landed: Promise<boolean>;
}

/** Never throws: it stops before the first entry that could not be handled, with all before it on disk. */
export async function runAhead(
  { most, about, plan }: Ahead,
  cursor: string,
  entries: readonly LogEntry[],
  from: number,
): Promise<Progress> {
  let saved: Progress = { count: 0, saved: from };
  let flights: Flight[] = [];
  let [last, isStopped] = [from, false];
  const land = async () => {
    for (const { landed, count, sequence } of flights) {
      if (!(await landed)) isStopped = true;
      else if (!isStopped) saved = { count, saved: sequence };
    }
    flights = [];
  };
  let count = 0;
  try {
    let asked: (string | undefined)[] = [];
    for (const [n, entry] of entries.entries()) {
      if (flights.some(({ about }) => about === undefined)) {
        await land();
        asked = [];
      }
      if (asked.length === 0) asked = await Promise.all(entries.slice(n, n + TOGETHER).map(about));
      const mine = asked.shift();
      const isApart = mine !== undefined && flights.every(({ about }) => about !== undefined && about !== mine);
      if (flights.length >= most || !isApart) await land();
      if (isStopped) return saved;
      const commit = await plan(entry);
      count += 1;
      if (!commit) continue;
      const landed = commit(advanceCursor(cursor, last, entry.sequence)).then(
        () => true,
        () => false,
      );
      flights.push({ about: mine, count, sequence: entry.sequence, landed });
      last = entry.sequence;
    }
  } catch {
    // Who does them one by one meets the same again, and knows what to do about it.
  }
  await land();
  return isStopped ? saved : { count, saved: last };
}
