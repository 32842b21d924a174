// Versions that one activity made: in one commit by one actor, of one patient's record, all of them created, updated or
// deleted. They share a Provenance, because opening a case makes dozens of resources and one thing was done. What is about
// different patients stays apart, so that nobody learns of one record in another; and so does the Patient, because what
// targets that is in the patient's compartment, open to people from whom some of the rest is withheld. Commits of the same
// actor in the same millisecond count as one: the log does not tell them apart.
import { parseLiteral } from '../fhir/references.ts';
import type { LogEntry } from '../store/store.ts';
import { activityOf } from './provenance.ts';

export type Activity = readonly [LogEntry, ...LogEntry[]];

/** @param entries of whole commits, or of a part of one that is too large; in the order of the log, and kept in it */
export function activitiesIn(entries: readonly LogEntry[]): Activity[] {
  return [...Map.groupBy(entries, keyOf).values()] as unknown as Activity[];
}

function keyOf(entry: LogEntry): string {
  const { lastUpdated, actor, kind, client, origin, type, id } = entry;
  // What is in nobody's record, or gone, stays by itself.
  const about = patientIn(entry) ?? [type, id];
  return JSON.stringify([lastUpdated, actor, kind, client, origin, activityOf(entry), about]);
}

/** `Patient/12`, when it says in one of the usual elements whom it is about. */
function patientIn({ content }: LogEntry): string | undefined {
  if (content === '') return undefined;
  const { subject, patient, for: whose } = JSON.parse(content) as Record<string, { reference?: unknown } | undefined>;
  const reference = (subject ?? patient ?? whose)?.reference;
  const found = typeof reference === 'string' ? parseLiteral(reference) : undefined;
  return found?.type === 'Patient' ? `Patient/${found.id}` : undefined;
}
