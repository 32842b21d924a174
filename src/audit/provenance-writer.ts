// Reads the log and says of every version who made it: one Provenance for each activity, many in one commit, together with
// how far it has come. So each is written exactly once, whatever is killed and however many processes do it.
import { setTimeout as pause } from 'node:timers/promises';
import type { Provenance } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import { asFault, FAULTS } from '../fault.ts';
import type { Change } from '../fhir/change.ts';
import { parseLiteral } from '../fhir/references.ts';
import { advanceCursor, beginCursor, readCursor } from '../store/cursor.ts';
import type { Actor, LogEntry, Statement, Store } from '../store/store.ts';
import { activitiesIn } from './activities.ts';
import { provenanceOf } from './provenance.ts';

export interface ProvenanceWriterOptions {
  readonly store: Store;
  readonly baseUrl: string;
  readonly log: Logger;
}

export interface ProvenanceWriter {
  /** Catches up with the log; resolves to how many were written. Runs never overlap. */
  run(): Promise<number>;
  /** The same without waiting for it; while others write much it takes its time. */
  wake(): void;
  /** Writes soon after every commit, until `stop`. */
  follow(): void;
  /** Finishes what is under way. */
  stop(): Promise<void>;
}

const NAME = 'provenance';
const ACTOR: Actor = { reference: 'Device/baton-provenance', kind: 'service' };
const BATCH = 200;
/** Commits that come within this many milliseconds are attributed together. */
const GATHER = 250;
/** While others write, a batch is followed by a rest of so many times as long, so that they go first. */
const REST = 3;
/** Have no provenance of their own. */
const WITHOUT: ReadonlySet<string> = new Set(['Provenance', 'AuditEvent']);

export function createProvenanceWriter({ store, baseUrl, log }: ProvenanceWriterOptions): ProvenanceWriter {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<number> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let unfollow: (() => void) | undefined;
  let stopped = false;
  const stopping = new AbortController();

  async function drain(): Promise<number> {
    let at = await beginCursor(store, ACTOR, NAME, 0);
    let written = 0;
    let head = await store.head();
    while (!stopped) {
      const begin = performance.now();
      const entries = await store.readLog(at, BATCH);
      const whole = entries.length < BATCH ? entries : upToLastCommit(entries);
      const to = whole.at(-1)?.sequence;
      if (to === undefined) break;
      const changes = activitiesIn(missingIn(whole)).map((activity): Change => {
        // An update: whatever is there under the id that follows from the version, it is overwritten.
        return { op: 'update', resource: provenanceOf(activity, baseUrl) };
      });
      try {
        // Not a FHIR transaction: a target may be gone by now.
        await store.commit(ACTOR, changes, [advanceCursor(NAME, at, to)], { transaction: false });
        written += changes.length;
        at = to;
        head = await giveWay(begin, head + changes.length);
      } catch (error) {
        // Another process was first.
        const moved = (await readCursor(store, NAME)) ?? at;
        if (moved === at && FAULTS[asFault(error).kind].retry !== 'permanent') throw error;
        if (moved === at) written += await oneByOne(changes, advanceCursor(NAME, at, to));
        at = (await readCursor(store, NAME)) ?? to;
      }
    }
    return written;
  }

  /** Rests when the log has grown by more than the batch itself. @returns where the log ends now */
  async function giveWay(begin: number, expectedHead: number): Promise<number> {
    const rest = REST * (performance.now() - begin);
    if ((await store.head()) > expectedHead) await pause(rest, undefined, { signal: stopping.signal }).catch(() => {});
    return store.head();
  }

  /** Some required profile does not like one of them: the others, and everything behind them, must not wait for it. */
  async function oneByOne(changes: readonly Change[], advance: Statement): Promise<number> {
    let written = 0;
    for (const change of changes) {
      try {
        await store.commit(ACTOR, [change], [], { transaction: false });
        written += 1;
      } catch (error) {
        if (FAULTS[asFault(error).kind].retry !== 'permanent') throw error;
        log.error({ err: error }, 'a version goes without provenance because what says so is refused');
      }
    }
    await store.commit(ACTOR, [], [advance]);
    return written;
  }

  function run(): Promise<number> {
    waiting ??= last.then(() => {
      waiting = undefined;
      const running = drain();
      last = running.catch(() => undefined);
      return running;
    });
    return waiting;
  }

  function wake(): void {
    run().catch((error) => log.error({ err: error }, 'provenance stopped; the heartbeat tries again'));
  }

  return {
    run,
    wake,
    follow() {
      unfollow ??= store.onCommit(() => {
        timer ??= setTimeout(() => {
          timer = undefined;
          wake();
        }, GATHER);
      });
    },
    async stop() {
      unfollow?.();
      clearTimeout(timer);
      stopped = true;
      stopping.abort();
      await last;
    },
  };
}

/** Without the last commit, which may go on behind what was read; all when there is only one. */
function upToLastCommit(entries: readonly LogEntry[]): readonly LogEntry[] {
  const last = entries.at(-1);
  const end = entries.findLastIndex((entry) => last === undefined || commitOf(entry) !== commitOf(last)) + 1;
  return end === 0 ? entries : entries.slice(0, end);
}

const commitOf = ({ lastUpdated, actor }: LogEntry) => `${lastUpdated} ${actor}`;

/** The versions whose own commit brought no Provenance about them. */
function missingIn(entries: readonly LogEntry[]): LogEntry[] {
  const attributed = new Set<string>();
  for (const entry of entries) {
    if (entry.type !== 'Provenance' || entry.content === '') continue;
    const { target } = JSON.parse(entry.content) as Provenance;
    for (const { reference } of target) {
      const found = parseLiteral(reference ?? '');
      if (found) attributed.add(`${commitOf(entry)} ${found.type}/${found.id}`);
    }
  }
  return entries.filter(
    (entry) =>
      entry.kind !== null &&
      !WITHOUT.has(entry.type) &&
      !attributed.has(`${commitOf(entry)} ${entry.type}/${entry.id}`),
  );
}
