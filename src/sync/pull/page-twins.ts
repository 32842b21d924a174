// Two records of one page that may be one person, or of which each would be linked with the same one of ours: the later one is
// looked at when the earlier one is in, as it would be on a page of its own. docs/sync-spec.md#I8
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { RunContext } from '../context.ts';
import { compareRecords } from '../patients/match.ts';
import { matchMarks } from '../patients/match-marks.ts';
import type { Incoming } from './incoming.ts';

/** The remote ids of the later ones. */
export function laterTwins({ matching }: RunContext, incoming: readonly Incoming[]): Set<string> {
  const later = new Set<string>();
  const matched = new Set<string>();
  const made = new Map<string, JsonObject[]>();
  for (const { remoteId, localId, isMatched, sought } of incoming) {
    if (isMatched && localId !== undefined) {
      if (matched.has(localId)) later.add(remoteId);
      matched.add(localId);
    }
    if (!sought) continue;
    const marks = matchMarks(sought.record);
    const earlier = new Set(marks.flatMap((mark) => made.get(mark) ?? []));
    if ([...earlier].some((record) => compareRecords(matching, record, sought.record, true))) later.add(remoteId);
    for (const mark of marks) {
      const records = made.get(mark);
      if (records) records.push(sought.record);
      else made.set(mark, [sought.record]);
    }
  }
  return later;
}
