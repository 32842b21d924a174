// The end of the log, read once for all streams that stand at the same place, which most do.
import type { LogEntry, Store } from '../../store/store.ts';

/** Entries of one reading. */
export const PAGE = 500;

export interface LogTail {
  /** The first entries after a place. What was read is good until the next commit. */
  read(after: number): Promise<readonly LogEntry[]>;
  /** Has the next reading ask the store, whether a commit was heard of or not. */
  forget(): void;
  close(): void;
}

export function createLogTail(store: Pick<Store, 'readLog' | 'onCommit'>): LogTail {
  let last: { readonly after: number; readonly entries: Promise<LogEntry[]> } | undefined;
  const forget = () => {
    last = undefined;
  };
  const close = store.onCommit(forget);
  return {
    read(after) {
      if (last?.after === after) return last.entries;
      const entries = store.readLog(after, PAGE);
      entries.catch(forget);
      last = { after, entries };
      return entries;
    },
    forget,
    close,
  };
}
