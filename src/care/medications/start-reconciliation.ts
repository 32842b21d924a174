// Starts a medication reconciliation: the three lists, filled with what is stored, and in what they differ.
import { randomUUID } from 'node:crypto';
import type { List, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isTerminal } from '../../fhir/status/task.ts';
import { type OnCase, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { concept } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { nowOf, requireAhead } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import { planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { LIST_KINDS } from './compare-lists.ts';
import { readLines, writeList } from './medication-list.ts';
import { prefill } from './prefill.ts';
import { findDiscrepancies, hasLists, isReconciliation, RECONCILIATION } from './reconciliation.ts';
import type { ReconciliationStart } from './reconciliation-schema.ts';
import { recordDiscrepancies } from './record-discrepancies.ts';

const OWNERS = ['Practitioner', 'PractitionerRole', 'Organization', 'CareTeam'] as const;

/** @throws Fault not-found; unprocessable for a due date that has passed, or when one is going on already */
export async function startReconciliation(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<ReconciliationStart>,
): Promise<Planned> {
  const found = await workableCase(records, caseId);
  const { patient } = found;
  const { due, owner, corrects } = body;
  if (due) requireAhead(due, 'due', caller);
  if (owner) await knownResource(records, found, owner.reference, OWNERS, 'owner');
  const subject = referenceTo(patient);
  const earlier = await reconciliationsOf(records, subject.reference);
  requireNoneGoingOn(earlier);
  if (body.followUp) await requireFollowUp(records, body.followUp.reference, patient.id);
  const followUp = body.followUp ?? askedFor(earlier);
  if (corrects) await requireSigned(records, corrects.reference, patient.id);

  // It follows from how many there were, so that two who start one at the same time collide and do not make two.
  const id = derivedId('medication-reconciliation', patient.id, String(earlier.length));
  const now = nowOf(caller);
  const sources = await prefill(records, subject.reference, caller);
  const lists = await Promise.all(
    LIST_KINDS.map(async (kind) => {
      const list = writeList(kind, subject, sources[kind], now, sourceOf(caller));
      return { kind, list, id: randomUUID(), lines: await readLines(records, list) };
    }),
  );
  const plan = await planToExtend(records, caller, found);
  const listRefs = new Map(lists.map((one) => [one.kind, `List/${one.id}`]));
  const task: Task = {
    resourceType: 'Task',
    meta: claims('baton-medication-reconciliation'),
    basedOn: [{ reference: plan.reference }],
    ...(followUp ? { partOf: [followUp] } : {}),
    status: 'in-progress',
    intent: 'order',
    priority: 'routine',
    code: RECONCILIATION,
    for: subject,
    executionPeriod: { start: now },
    authoredOn: now,
    lastModified: now,
    requester: caller.who as NonNullable<Task['requester']>,
    owner: owner ?? (caller.who as NonNullable<Task['owner']>),
    ...(corrects ? { reasonReference: corrects } : {}),
    ...(due ? { restriction: { period: { end: due } } } : {}),
    input: lists.map(({ list, id: listId, kind }) => ({
      type: concept(CODE_SYSTEM.medicationList, kind, list.title ?? kind),
      valueReference: { reference: `List/${listId}` },
    })),
  };
  return {
    changes: [
      { op: 'create', resource: task, id },
      ...lists.map(({ list, id: listId }) => ({ op: 'create' as const, resource: list, id: listId })),
      ...recordDiscrepancies(findDiscrepancies(id, lists), new Map(), subject, listRefs, caller),
      ...plan.add({ activities: [`Task/${id}`] }),
    ],
    about: 0,
  };
}

/** A list comes from a person or a device; an application is named in the audit trail. */
export function sourceOf({ who }: Caller): List['source'] {
  return who.reference === undefined ? undefined : (who as List['source']);
}

function reconciliationsOf(records: Records, patient: string): Promise<Kept<'Task'>[]> {
  return records.find('Task', { patient, code: 'http://snomed.info/sct|430193006' });
}

function requireNoneGoingOn(tasks: readonly Kept<'Task'>[]): void {
  const open = tasks.find((task) => !isTerminal(task.status) && hasLists(task));
  if (!open) return;
  throw new Fault('unprocessable', `Medication reconciliation ${open.id} is going on; go on with it or cancel it.`, {
    expression: 'Task.status',
    code: 'duplicate',
  });
}

/** The follow-up of a transition that asks for a reconciliation: it has no lists itself. */
function askedFor(tasks: readonly Kept<'Task'>[]): Link | undefined {
  const open = tasks.find((task) => !isTerminal(task.status) && !hasLists(task));
  return open && referenceTo(open);
}

async function requireFollowUp(records: Records, reference: string, patientId: string): Promise<void> {
  const task = await taskOf(records, reference, patientId, 'followUp');
  if (isTerminal(task.status)) throw unusable('followUp', `followUp is ${task.status} already.`);
}

async function requireSigned(records: Records, reference: string, patientId: string): Promise<void> {
  const task = await taskOf(records, reference, patientId, 'corrects');
  if (isReconciliation(task) && task.status === 'completed') return;
  throw unusable('corrects', 'corrects must be a medication reconciliation that was signed off.');
}

async function taskOf(records: Records, reference: string, patientId: string, member: string): Promise<Kept<'Task'>> {
  const id = idOf({ reference }, 'Task');
  const task = id === undefined ? undefined : await records.read('Task', id);
  if (task && idOf(task.for, 'Patient') === patientId) return task;
  throw unusable(member, `${member} must be a Task about the patient of the case.`);
}

function unusable(expression: string, sentence: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}
