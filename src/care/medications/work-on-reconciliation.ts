// What is done in a reconciliation until it is signed off: its lists are set, its discrepancies resolved, or it is given up.
import type { DetectedIssue, List, Practitioner, Reference, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { type OnItem, workableCase } from '../case-at-hand.ts';
import { conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { nowOf } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { ListKind } from './compare-lists.ts';
import { emptied, readLines, withLines } from './medication-list.ts';
import { findDiscrepancies, type Reconciliation, readReconciliation, requireOpen } from './reconciliation.ts';
import type { DiscrepancyResolution, ListSetting, ReconciliationCancellation } from './reconciliation-schema.ts';
import { recordDiscrepancies, withdraw } from './record-discrepancies.ts';

/** @throws Fault not-found; unprocessable when it is over, or a line is given that the list does not have */
export async function setMedicationList(
  records: Records,
  caller: Caller,
  { caseId, id, kind, body }: OnItem<ListSetting> & { readonly kind: ListKind },
): Promise<Planned> {
  const reconciliation = await openReconciliation(records, caseId, id);
  const read = reconciliation.lists.find((one) => one.kind === kind);
  if (!read) throw new Fault('not-found', `The reconciliation has no list ${kind}.`);
  const changed = body.lines
    ? withLines(read.list, read.lines, body.lines, 'lines')
    : emptied(read.list, body.none ?? 'unavailable');
  const list: List = { ...changed, date: nowOf(caller) };
  const lines = await readLines(records, list);
  const lists = reconciliation.lists.map((one) => (one.kind === kind ? { ...one, list, lines } : one));
  return {
    changes: [
      touch(reconciliation.task, caller),
      { op: 'update', resource: list, ifMatch: read.list.meta.versionId },
      ...discrepancyChanges(reconciliation, lists, caller),
    ],
    about: 0,
  };
}

/** Records in what the lists differ now, for lists that were edited as FHIR. @throws Fault not-found | unprocessable */
export async function compareAnew(
  records: Records,
  caller: Caller,
  { caseId, id }: Omit<OnItem<unknown>, 'body'>,
): Promise<Planned> {
  const reconciliation = await openReconciliation(records, caseId, id);
  const changes = discrepancyChanges(reconciliation, reconciliation.lists, caller);
  return { changes: [touch(reconciliation.task, caller), ...changes], about: 0 };
}

/** @throws Fault not-found; unprocessable when something the decision needs is missing, or it is no longer a discrepancy */
export async function resolveDiscrepancy(
  records: Records,
  caller: Caller,
  { caseId, id, discrepancy, body }: OnItem<DiscrepancyResolution> & { readonly discrepancy: string },
): Promise<Planned> {
  const reconciliation = await openReconciliation(records, caseId, id);
  const { found, issues, task } = reconciliation;
  const [key, issue] = [...issues].find(([, one]) => one.id === discrepancy) ?? [];
  if (!issue) throw new Fault('not-found', `The reconciliation has no discrepancy ${discrepancy}.`);
  if (!found.some((one) => one.key === key)) {
    throw refused('The lists no longer differ in this; there is nothing to resolve.', 'DetectedIssue.status');
  }
  requireGrounds(body);
  if (body.prescriber) {
    await knownResource(records, {}, body.prescriber.reference, ['Practitioner', 'PractitionerRole'], 'prescriber');
  }
  return {
    changes: [
      touch(task, caller),
      { op: 'update', resource: resolved(issue, body, caller), ifMatch: issue.meta.versionId },
    ],
    about: 0,
  };
}

/** @throws Fault not-found; unprocessable when it is over */
export async function cancelReconciliation(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<ReconciliationCancellation>,
): Promise<Planned> {
  const reconciliation = await readReconciliation(records, caseId, id);
  requireOpen(reconciliation);
  const { task } = reconciliation;
  const open = [...reconciliation.issues.values()].filter((one) => one.status === 'preliminary');
  return {
    changes: [
      touch({ ...task, status: 'cancelled', statusReason: conceptOf(body.reason) }, caller),
      ...open.map((one) => withdraw(one, caller, 'given-up')),
    ],
    about: 0,
  };
}

export async function openReconciliation(records: Records, caseId: string, id: string): Promise<Reconciliation> {
  await workableCase(records, caseId);
  const reconciliation = await readReconciliation(records, caseId, id);
  requireOpen(reconciliation);
  return reconciliation;
}

/** The Task as changed now, on the version that was read. */
export function touch(task: Task & Pick<Kept<'Task'>, 'meta'>, caller: Caller): Change {
  return { op: 'update', resource: { ...task, lastModified: nowOf(caller) }, ifMatch: task.meta.versionId };
}

function discrepancyChanges(
  { task, issues, patient }: Reconciliation,
  lists: Parameters<typeof findDiscrepancies>[1],
  caller: Caller,
): Change[] {
  const listRefs = new Map(lists.map(({ kind, list }) => [kind, `List/${(list as { id?: string }).id}`] as const));
  return recordDiscrepancies(findDiscrepancies(task.id, lists), issues, referenceTo(patient), listRefs, caller);
}

function requireGrounds({ resolution, reason, prescriber }: DiscrepancyResolution): void {
  if (resolution === 'accept' && reason === undefined) {
    throw refused('reason is missing: an accepted discrepancy needs one.', 'reason');
  }
  if (resolution === 'clarify' && prescriber === undefined) {
    throw refused('prescriber is missing: say with whom it was clarified.', 'prescriber');
  }
}

/** A decision that is taken back stays in the record; the last one counts. */
function resolved(
  issue: Kept<'DetectedIssue'>,
  { resolution, reason, prescriber }: DiscrepancyResolution,
  caller: Caller,
): DetectedIssue {
  const action = concept(CODE_SYSTEM.discrepancyResolution, resolution, RESOLUTION_WORDS[resolution]);
  const isPerson = /^Practitioner(Role)?\//.test(caller.who.reference ?? '');
  const mitigation = {
    action: reason === undefined ? { coding: action.coding ?? [] } : { ...action, text: reason },
    date: nowOf(caller),
    ...(isPerson ? { author: caller.who as Reference<Practitioner> } : {}),
  };
  return {
    ...issue,
    status: 'final',
    mitigation: [...(issue.mitigation ?? []), mitigation],
    ...(prescriber
      ? { evidence: [...(issue.evidence ?? []), { code: [{ text: 'Prescriber asked' }], detail: [prescriber] }] }
      : {}),
  };
}

const RESOLUTION_WORDS = {
  continue: 'Continue',
  stop: 'Stop',
  change: 'Change',
  clarify: 'Clarified with the prescriber',
  accept: 'Accepted',
} as const;

function refused(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}
