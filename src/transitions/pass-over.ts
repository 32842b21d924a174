// A change that cannot be acted on is passed over, because everybody behind it in the log would wait for ever. It is not
// forgotten: operators are told which one it is, in the commit that passes it.
import { asFault, FAULTS, type FaultKind } from '../fault.ts';
import { writeAlert } from '../store/alert.ts';
import type { LogEntry, Statement } from '../store/store.ts';
import { ACTOR, type Parts } from './parts.ts';
import { SUBJECT } from './watchdog.ts';

/** What a lost race or a bug looks like: the next run may well succeed. */
const UNCERTAIN: ReadonlySet<FaultKind> = new Set(['conflict', 'precondition', 'multiple-matches', 'fault']);
/** Runs that such an entry may stop; nothing that passes by itself lasts longer. */
const MOST_RUNS = 10;

export interface Passing {
  /** It will fail whenever it is tried. Asked once in a run. */
  isHopeless(entry: LogEntry, error: unknown): boolean;
  passOver(entry: LogEntry, error: unknown, advance: Statement): Promise<void>;
}

export function createPassing({ store, clock, log, emit }: Pick<Parts, 'store' | 'clock' | 'log' | 'emit'>): Passing {
  let stopped = { sequence: -1, runs: 0 };
  return {
    isHopeless({ sequence }, error) {
      const { kind } = asFault(error);
      if (FAULTS[kind].retry === 'permanent') return true;
      if (!UNCERTAIN.has(kind)) return false;
      stopped = { sequence, runs: stopped.sequence === sequence ? stopped.runs + 1 : 1 };
      return stopped.runs >= MOST_RUNS;
    },
    async passOver({ type, id, versionId }, error, advance) {
      const detail = `${type}/${id}, version ${versionId}: ${asFault(error).message}`;
      const alert = { subject: SUBJECT, event: 'transitions.passed-over', detail };
      await store.commit(ACTOR, [], [writeAlert(alert, clock.real().epochMilliseconds), advance]);
      log.error({ err: error, type, id, versionId }, 'transitions passed over a change they could not act on');
      emit({ kind: 'transition-failed', type, id, versionId });
    },
  };
}
