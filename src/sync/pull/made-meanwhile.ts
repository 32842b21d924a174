// Two doors that bring the same person at the same moment would make two of them: a page that makes somebody new is
// committed only when nobody like them has been written since it was looked at. docs/sync-spec.md#I8
import { Fault } from '../../fault.ts';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { CommitOptions, LogEntry } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { RunContext } from '../context.ts';
import { likenessOf, tokenOf } from '../patients/match.ts';
import { datesOf, namesOf } from '../patients/patient-candidates.ts';
import type { Incoming } from './incoming.ts';

/** Types of which one here may be one there although nothing links them. */
const MATCHED = new Set(['Patient', 'Practitioner', 'Organization', 'Location']);
/** Entries of the log looked at between two turns of the event loop. */
const PORTION = 500;

/** The store's head before a page is looked at; 0 when nobody need look again. */
export async function headBefore({ store }: RunContext, type: string): Promise<number> {
  return MATCHED.has(type) ? store.head() : 0;
}

/**
 * Looks through what was written until now, and leaves to the commit what is written until it has its turn.
 * @param head before who they are was looked for
 * @throws Fault conflict when somebody like them was
 */
export async function unlessMadeMeanwhile(
  context: RunContext,
  type: string,
  incoming: readonly Incoming[],
  head: number,
): Promise<Pick<CommitOptions, 'unlessWritten'>> {
  const made = MATCHED.has(type) ? incoming.filter(({ outcome }) => outcome === 'created') : [];
  if (made.length === 0) return {};
  const stops = likeOneOf(context, made);
  let after = head;
  for (;;) {
    const entries = await context.store.readLog(after, PORTION);
    if (entries.some((entry) => entry.type === type && entry.operation !== 'delete' && stops(entry))) {
      throw new Fault('conflict', `Another ${type} that may be one of these has been written meanwhile.`);
    }
    after = entries.at(-1)?.sequence ?? after;
    if (entries.length < PORTION) return { unlessWritten: { type, after, stops } };
  }
}

function likeOneOf({ connection, matching }: RunContext, made: readonly Incoming[]): (entry: LogEntry) => boolean {
  const byMark = Map.groupBy(
    made.flatMap(({ body }) => marksOf(body).map((mark) => ({ mark, body }))),
    ({ mark }) => mark,
  );
  return (entry) =>
    entry.origin !== connection.name &&
    marksOf(parseBody(entry.content)).some((mark) =>
      byMark.get(mark)?.some(({ body }) => likenessOf(matching, entry, body, false)),
    );
}

/**
 * Of two records that have none of these in common neither is looked at as the other: a number, the month of a birth date (day
 * and month may be turned), the initials of a name (a search takes the beginning of one for it).
 */
function marksOf(body: JsonObject): string[] {
  const identifiers = Array.isArray(body.identifier) ? body.identifier : [];
  return [
    ...identifiers.flatMap((identifier) => tokenOf(identifier) ?? []),
    ...datesOf(body).map((date) => date.slice(0, 'YYYY-MM'.length)),
    ...namesOf(body).map((words) => words.map((word) => word.slice(0, 1)).join(' ')),
  ];
}
