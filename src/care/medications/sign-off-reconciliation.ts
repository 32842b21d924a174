// Signs off a reconciliation: by somebody qualified, when nothing is open, once. The lists are kept as they were signed.
import { randomUUID } from 'node:crypto';
import type { Procedure, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { TASK } from '../../fhir/status/task.ts';
import type { OnItem } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { nowOf } from '../given-time.ts';
import { homeStateOf, requireQualified } from '../qualifications/sign-off.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { LIST_KINDS } from './compare-lists.ts';
import { isResolved, noLines, RECONCILIATION, type Reconciliation } from './reconciliation.ts';
import type { SignOffGiven } from './reconciliation-schema.ts';
import { openReconciliation, touch } from './work-on-reconciliation.ts';

/** @throws Fault not-found; forbidden when the caller is not qualified; unprocessable while something is open */
export async function signOffReconciliation(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<SignOffGiven>,
): Promise<Planned> {
  const reconciliation = await openReconciliation(records, caseId, id);
  const { task, patient, lists } = reconciliation;
  await requireQualified(records, caller, 'medication-reconciliation', homeStateOf(patient));
  requireSettled(reconciliation);
  const procedureId = randomUUID();
  const now = nowOf(caller);
  const procedure: Procedure = {
    resourceType: 'Procedure',
    meta: { profile: claims('', 'us-core-procedure').profile.slice(1) },
    ...(task.basedOn ? { basedOn: task.basedOn as NonNullable<Procedure['basedOn']> } : {}),
    status: 'completed',
    code: RECONCILIATION,
    subject: referenceTo(patient),
    performedDateTime: now,
    performer: [{ actor: caller.who as NonNullable<Procedure['performer']>[number]['actor'] }],
    ...(body.note ? { note: [{ text: body.note, time: now }] } : {}),
  };
  const signed: Task & { meta: typeof task.meta } = {
    ...task,
    status: 'completed',
    executionPeriod: { ...task.executionPeriod, end: now },
    output: [
      ...(task.output ?? []),
      { type: RECONCILIATION, valueReference: { reference: `Procedure/${procedureId}` } },
    ],
  };
  return {
    changes: [
      touch(signed, caller),
      { op: 'create', resource: procedure, id: procedureId },
      ...lists.map(
        ({ list }): Change => ({
          op: 'update',
          resource: { ...list, mode: 'snapshot' },
          ifMatch: list.meta.versionId,
        }),
      ),
      ...(await followUpDone(records, task, caller)),
    ],
    about: 0,
  };
}

/** @throws Fault unprocessable while a list is not set or a discrepancy is open */
function requireSettled({ lists, found, issues }: Reconciliation): void {
  const unset = lists.find((one) => one.lines.length === 0 && (noLines(one) ?? 'notstarted') === 'notstarted');
  if (unset)
    throw unsettled(`The list ${unset.kind} is not set: give its lines, or say why it has none.`, 'Task.input');
  if (lists.length < LIST_KINDS.length) throw unsettled('A list is missing or may not be seen.', 'Task.input');
  const open = found.filter(({ key }) => {
    const issue = issues.get(key);
    return !issue || !isResolved(issue);
  });
  if (open.length === 0) return;
  const sentence = open.length === 1 ? '1 discrepancy is open' : `${open.length} discrepancies are open`;
  throw unsettled(`${sentence}; resolve it before signing off.`, 'DetectedIssue.status');
}

/** The follow-up of a transition that asked for the reconciliation is done with it. */
async function followUpDone(records: Records, { partOf }: Task, caller: Caller): Promise<Change[]> {
  const id = idOf(partOf?.[0], 'Task');
  const task = id === undefined ? undefined : await records.read('Task', id);
  // One that somebody put on hold stays so.
  if (!task || !TASK.successors[task.status].includes('completed')) return [];
  return [
    touch({ ...task, status: 'completed', executionPeriod: { ...task.executionPeriod, end: nowOf(caller) } }, caller),
  ];
}

function unsettled(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}
