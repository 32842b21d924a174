// What was decided names patients by who they were when it was looked at. One of them may have been merged away before the
// commit; then it would stay with a record that is closed.
import type { Change } from '../fhir/change.ts';
import { collectReferences, parseLiteral } from '../fhir/references.ts';
import type { Statement } from './store.ts';

/** Of one statement; a group may have more members than a statement may have parameters. */
const MOST = 1_000;

/**
 * For the commit: it fails as a conflict when a patient whom the changes name has been merged away since. Not for a
 * commit that does that itself: of the engines one shows its own rows.
 * @param head of the log before it was looked at who they are
 */
export function unlessClosedMeanwhile(changes: readonly Change[], head: number): Statement[] {
  return unlessClosedSince([...new Set(changes.flatMap(patientsIn))], head);
}

/** The same for patients of whom it is known that they were in use then. @param ids of patients */
export function unlessClosedSince(patients: readonly string[], head: number): Statement[] {
  const statements: Statement[] = [];
  for (let start = 0; start < patients.length; start += MOST) {
    const some = patients.slice(start, start + MOST);
    const sql = `UPDATE resource SET sequence = sequence WHERE type = 'Patient' AND id IN (${some.map(() => '?').join(', ')})
      AND sequence > ? AND content LIKE '%"replaced-by"%'`;
    statements.push({ sql, params: [...some, head], rows: 0 });
  }
  return statements;
}

/** What patients' records say of each other is about the records. */
function patientsIn(change: Change): string[] {
  if (!('resource' in change) || change.resource.resourceType === 'Patient') return [];
  return collectReferences(change.resource).flatMap((reference) => {
    const target = parseLiteral(reference);
    return target?.type === 'Patient' ? [target.id] : [];
  });
}
