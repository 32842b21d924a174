// A reader of the log that reacts to every entry: in order, at least once, from where it stopped. With its effect and its
// cursor in one commit it reacts exactly once, also when two processes run it: the one that is late lets the other go first.

import type { Logger } from 'pino';
import { asFault, FAULTS } from '../fault.ts';
import { advanceCursor, beginCursor, readCursor } from './cursor.ts';
import { letGoFirst } from './let-go-first.ts';
import type { Passing } from './pass-over.ts';
import { type Ahead, runAhead } from './run-ahead.ts';
import { BATON, type LogEntry, type Statement, type Store } from './store.ts';

export interface ConsumerOptions {
  readonly store: Store;
  /** Name of the cursor; never reuse one for another purpose. */
  readonly name: string;
  /**
   * Reacts to one entry. A handler that commits puts `advance` in `alongside` and says so with true; one that writes nothing
   * just returns false. When it throws, the run stops before this entry and the next run begins with it.
   */
  readonly handle: (entry: LogEntry, advance: Statement) => Promise<boolean>;
  /** The same in two steps, to plan effects before the ones before are on disk; `handle` does what fails that way. */
  readonly ahead?: Ahead;
  /** Called before each batch, once it is known where the cursor stands: for what was remembered of other rows. */
  readonly begin?: () => Promise<void>;
  /**
   * Row changes of entries that `handle` answered false for, since the last commit: they go into the next one, which moves the
   * cursor over those entries. A handler that commits puts them in by itself.
   */
  readonly gathered?: () => readonly Statement[];
  /** What becomes of an entry that cannot be handled; it stops every run when absent. */
  readonly passing?: Passing;
  readonly log: Logger;
  /** Entries read at a time; 100 when absent. */
  readonly batch?: number;
}

export interface Consumer {
  /**
   * Resolves when everything that is in the log by now has been handled, here or by another process; to how many entries
   * were handled here. Runs never overlap: all that are asked for during one are the same one, which begins when that has ended.
   */
  run(): Promise<number>;
}

/** Somebody changed what an effect was planned from; it is planned anew this often before the run stops. */
const ATTEMPTS = 3;

export function createConsumer(options: ConsumerOptions): Consumer {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<number> | undefined;
  const turn: Turn = { isSecond: false };
  return {
    run() {
      waiting ??= last.then(() => {
        waiting = undefined;
        const running = drain(options, turn);
        last = running.catch(() => undefined);
        return running;
      });
      return waiting;
    },
  };
}

/** Whether another process was faster when this one last reacted to something. */
interface Turn {
  isSecond: boolean;
}

async function drain(options: ConsumerOptions, turn: Turn): Promise<number> {
  const { store, name, log, batch = 100 } = options;
  let from = await beginCursor(store, BATON, name, 0);
  let handled = 0;
  for (;;) {
    if (turn.isSecond) {
      const { at, isDone } = await letGoFirst(store, name, from);
      if (isDone) break;
      turn.isSecond = false;
      from = at;
    }
    const entries = await store.readLog(from, batch);
    if (entries.length > 0) await options.begin?.();
    const { count, at, isLate } = await handleBatch(options, entries, from);
    handled += count;
    turn.isSecond = isLate;
    if (entries.length < batch && !isLate) break;
    log.debug({ consumer: name, from, to: at }, 'log entries handled');
    from = at;
  }
  return handled;
}

interface BatchEnd {
  readonly count: number;
  /** Where the cursor stands. */
  readonly at: number;
  /** Another process has moved the cursor; what was read is not what comes next. */
  readonly isLate: boolean;
}

async function handleBatch(options: ConsumerOptions, entries: readonly LogEntry[], from: number): Promise<BatchEnd> {
  const { name, ahead } = options;
  const begun = ahead ? await runAhead(ahead, name, entries, from) : { count: 0, saved: from };
  let { saved, count } = begun;
  let passed = entries[count - 1]?.sequence ?? from;
  try {
    for (const entry of entries.slice(count)) {
      if (await handleEntry(options, entry, saved)) saved = entry.sequence;
      passed = entry.sequence;
      count += 1;
    }
    // Entries that needed no commit are remembered once per batch.
    if (passed > saved) await remember(options, saved, passed);
    return { count, at: passed, isLate: false };
  } catch (error) {
    const at = await movedTo(options, saved, error);
    if (at !== undefined) return { count, at, isLate: true };
    // Where another process has moved the cursor meanwhile, it stands well.
    if (passed > saved) await remember(options, saved, passed).catch(unlessConflict);
    throw error;
  }
}

/** Where the cursor is to stand, and what the entries up to there have gathered. */
async function remember({ store, name, gathered }: ConsumerOptions, saved: number, passed: number): Promise<void> {
  await store.commit(BATON, [], [...(gathered?.() ?? []), advanceCursor(name, saved, passed)]);
}

/** @returns whether the cursor is behind the entry now */
async function handleEntry(options: ConsumerOptions, entry: LogEntry, saved: number): Promise<boolean> {
  const { handle, passing, name } = options;
  const advance = advanceCursor(name, saved, entry.sequence);
  for (let attempt = 1; ; attempt++) {
    try {
      return await handle(entry, advance);
    } catch (error) {
      if ((await movedTo(options, saved, error)) !== undefined) throw error;
      if (isConflict(error) && attempt < ATTEMPTS) continue;
      if (!passing?.isHopeless(entry, error)) throw error;
      await passing.passOver(entry, error, advance);
      return true;
    }
  }
}

/** Where another process has moved the cursor, if that is what a commit failed for. */
async function movedTo({ store, name }: ConsumerOptions, saved: number, error: unknown): Promise<number | undefined> {
  const at = isConflict(error) ? await readCursor(store, name) : undefined;
  return at === saved ? undefined : at;
}

const isConflict = (error: unknown) => FAULTS[asFault(error).kind].retry === 'conflict';

function unlessConflict(error: unknown): void {
  if (!isConflict(error)) throw error;
}
