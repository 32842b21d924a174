// A reader of the log that reacts to every entry: in order, at least once, from where it stopped. With its effect and its
// cursor in one commit it reacts exactly once, also when two processes run it.

import type { Logger } from 'pino';
import { advanceCursor, beginCursor, readCursor } from './cursor.ts';
import { BATON, type LogEntry, type Statement, type Store } from './store.ts';

export interface ConsumerOptions {
  readonly store: Store;
  /** Name of the cursor; never reuse one for another purpose. */
  readonly name: string;
  /**
   * Reacts to one entry. A handler that commits puts `advance` in `alongside`; one that writes nothing just returns. When
   * it throws, the run stops before this entry and the next run begins with it.
   */
  readonly handle: (entry: LogEntry, advance: Statement) => Promise<void>;
  readonly log: Logger;
  /** Entries read at a time; 100 when absent. */
  readonly batch?: number;
}

export interface Consumer {
  /**
   * Handles everything that is in the log by now; resolves to how many entries that were. Runs never overlap: all that
   * are asked for during one are the same one, which begins when that has ended.
   */
  run(): Promise<number>;
}

export function createConsumer(options: ConsumerOptions): Consumer {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<number> | undefined;
  return {
    run() {
      waiting ??= last.then(() => {
        waiting = undefined;
        const running = drain(options);
        last = running.catch(() => undefined);
        return running;
      });
      return waiting;
    },
  };
}

async function drain(options: ConsumerOptions): Promise<number> {
  const { store, name, log, batch = 100 } = options;
  let saved = await beginCursor(store, BATON, name, 0);
  let handled = 0;
  for (;;) {
    const entries = await store.readLog(saved, batch);
    const from = saved;
    let passed = saved;
    try {
      for (const entry of entries) {
        await options.handle(entry, advanceCursor(name, saved, entry.sequence));
        passed = entry.sequence;
        saved = (await readCursor(store, name)) ?? saved;
        handled += 1;
      }
    } finally {
      // Entries that needed no commit are remembered once per batch.
      if (passed > saved) await store.commit(BATON, [], [advanceCursor(name, saved, passed)]);
    }
    saved = passed;
    if (entries.length < batch) break;
    log.debug({ consumer: name, from, to: passed }, 'log entries handled');
  }
  return handled;
}
