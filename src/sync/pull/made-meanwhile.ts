// A page says who is new and who is one of ours by what was here when it was looked at. It is committed only when nothing
// written since says otherwise: two doors that bring the same person at the same moment would make two of them, and whoever
// has been given another number would be linked by the one they had. docs/sync-spec.md#I8
import { Fault } from '../../fault.ts';
import { replacedBy } from '../../fhir/patient-merge.ts';
import type { CommitOptions, LogEntry } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { RunContext } from '../context.ts';
import { compareRecords, type Sought } from '../patients/match.ts';
import { matchMarks } from '../patients/match-marks.ts';
import type { Incoming } from './incoming.ts';

/** Entries of the log looked at between two turns of the event loop. */
const PORTION = 500;

/**
 * Looks through what was written until now, and leaves to the commit what is written until it has its turn.
 * @param head before who they are was looked for
 * @throws Fault conflict when one of ours that they were matched with was written, or somebody like a new one
 */
export async function unlessMadeMeanwhile(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  head: number,
): Promise<Pick<CommitOptions, 'unlessWritten'>> {
  const matched = new Set(incoming.flatMap(({ isMatched, localId }) => (isMatched && localId ? [localId] : [])));
  const byMark = markedOf(incoming);
  if (matched.size === 0 && byMark.size === 0) return {};
  const stops = (entry: LogEntry) => matched.has(entry.id) || isLikeOne(context, byMark, entry);
  let after = head;
  for (;;) {
    const entries = await context.store.readLog(after, PORTION);
    if (entries.some((entry) => entry.type === type && stops(entry))) {
      throw new Fault('conflict', `Another ${type} that may be one of these has been written meanwhile.`);
    }
    after = entries.at(-1)?.sequence ?? after;
    if (entries.length < PORTION) return { unlessWritten: { type, after, stops } };
  }
}

/** Those that are made, by what somebody like them would have in common with them. */
function markedOf(incoming: readonly Incoming[]): Map<string, Sought[]> {
  const byMark = new Map<string, Sought[]>();
  for (const { sought } of incoming) {
    if (!sought) continue;
    for (const mark of matchMarks(sought.record)) {
      const marked = byMark.get(mark);
      if (marked) marked.push(sought);
      else byMark.set(mark, [sought]);
    }
  }
  return byMark;
}

/** Whether looking again would find it for one of them, and make something of it. */
function isLikeOne(
  { connection, matching }: RunContext,
  byMark: ReadonlyMap<string, readonly Sought[]>,
  entry: LogEntry,
): boolean {
  if (byMark.size === 0 || entry.operation === 'delete') return false;
  const body = parseBody(entry.content);
  const alike = new Set(matchMarks(body).flatMap((mark) => byMark.get(mark) ?? []));
  // What the connection itself writes has its record there: another page of it, taken in beside this one.
  const isOwn = entry.origin === connection.name;
  return [...alike].some(({ record, others, linked }) => {
    if (others.has(entry.id)) return false;
    const likeness = compareRecords(matching, body, record, isOwn || linked.has(entry.id));
    // A record that another one stands for is nobody any more; only its numbers are looked for.
    return likeness !== undefined && (likeness.why === 'identifier' || replacedBy(body) === undefined);
  });
}
