// Two doors that bring the same person at the same moment would make two of them: a page that makes somebody new is
// committed only when nobody like them has been written since it was looked at. docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { CommitOptions } from '../../store/store.ts';
import { parseBody } from '../body.ts';
import type { RunContext } from '../context.ts';
import { likenessOf, tokenOf } from '../patients/match.ts';
import { datesOf, namesOf } from '../patients/patient-candidates.ts';
import type { Incoming } from './incoming.ts';

/** Types of which one here may be one there although nothing links them. */
const MATCHED = new Set(['Patient', 'Practitioner', 'Organization', 'Location']);

/** The store's head before a page is looked at; 0 when nobody need look again. */
export async function headBefore({ store }: RunContext, type: string): Promise<number> {
  return MATCHED.has(type) ? store.head() : 0;
}

/** @param head before who they are was looked for */
export function unlessMadeMeanwhile(
  { connection, matching }: RunContext,
  type: string,
  incoming: readonly Incoming[],
  head: number,
): Pick<CommitOptions, 'unlessWritten'> {
  const made = MATCHED.has(type) ? incoming.filter(({ outcome }) => outcome === 'created') : [];
  if (made.length === 0) return {};
  const byMark = Map.groupBy(
    made.flatMap(({ body }) => marksOf(body).map((mark) => ({ mark, body }))),
    ({ mark }) => mark,
  );
  return {
    unlessWritten: {
      type,
      after: head,
      stops: (entry) =>
        entry.origin !== connection.name &&
        marksOf(parseBody(entry.content)).some((mark) =>
          byMark.get(mark)?.some(({ body }) => likenessOf(matching, entry, body, false)),
        ),
    },
  };
}

/**
 * Of two records that have none of these in common neither is looked at as the other: a number, the month of a birth date (day
 * and month may be turned), a name.
 */
function marksOf(body: JsonObject): string[] {
  const identifiers = Array.isArray(body.identifier) ? body.identifier : [];
  return [
    ...identifiers.flatMap((identifier) => tokenOf(identifier) ?? []),
    ...datesOf(body).map((date) => date.slice(0, 'YYYY-MM'.length)),
    ...namesOf(body).map((words) => words.join(' ')),
  ];
}
