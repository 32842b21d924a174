// A change that a reader of the log cannot act on is passed over, because everybody behind it would wait for ever. It is not
// forgotten: operators are told which one it is, in the commit that passes it.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { asFault, FAULTS, type FaultKind } from '../fault.ts';
import { writeAlert } from './alert.ts';
import { BATON, type LogEntry, type Statement, type Store } from './store.ts';

/** What a lost race or a bug looks like: the next run may well succeed. */
const UNCERTAIN: ReadonlySet<FaultKind> = new Set(['conflict', 'precondition', 'multiple-matches', 'fault']);
/** Runs that such an entry may stop; nothing that passes by itself lasts longer. */
const MOST_RUNS = 10;

export interface Passing {
  /** It will fail whenever it is tried. Asked once in a run. */
  isHopeless(entry: LogEntry, error: unknown): boolean;
  passOver(entry: LogEntry, error: unknown, advance: Statement): Promise<void>;
}

export interface PassingOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of the reader; operators are told `NAME.passed-over`. */
  readonly name: string;
  /** What the alert is about: a part of Baton. */
  readonly subject: string;
  /** Row changes of the entries before it that are not committed yet. */
  readonly gathered?: () => readonly Statement[];
  /** Told of an entry once it is passed over. */
  readonly passed?: (entry: LogEntry) => void;
}

export function createPassing({ store, clock, log, name, subject, gathered, passed }: PassingOptions): Passing {
  let stopped = { sequence: -1, runs: 0 };
  return {
    isHopeless({ sequence }, error) {
      const { kind } = asFault(error);
      if (FAULTS[kind].retry === 'permanent') return true;
      if (!UNCERTAIN.has(kind)) return false;
      stopped = { sequence, runs: stopped.sequence === sequence ? stopped.runs + 1 : 1 };
      return stopped.runs >= MOST_RUNS;
    },
    async passOver(entry, error, advance) {
      const { type, id, versionId } = entry;
      const detail = `${type}/${id}, version ${versionId}: ${asFault(error).message}`;
      const alert = { subject, event: `${name}.passed-over`, detail };
      await store.commit(
        BATON,
        [],
        [writeAlert(alert, clock.real().epochMilliseconds), ...(gathered?.() ?? []), advance],
      );
      log.error(
        { err: error, reader: name, type, id, versionId },
        'a change could not be acted on and was passed over',
      );
      passed?.(entry);
    },
  };
}
