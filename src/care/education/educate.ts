// Education from assignment to teach-back. What was not understood is assigned again in the same commit.
import { randomUUID } from 'node:crypto';
import type { Procedure, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isTerminal } from '../../fhir/status/task.ts';
import { type OnCase, type OnItem, workableCase } from '../case-at-hand.ts';
import { claims } from '../claimed-profiles.ts';
import { conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { nowOf, requireAhead, requireOrder, requirePast } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import { type ExtendablePlan, planToExtend } from '../plans/plan-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { EducationAssignment, EducationCancellation, EducationDelivery, TeachBack } from './education-schema.ts';
import { EDUCATION, partConcept, partOf, readEducation } from './education-view.ts';

const LEARNERS = ['Patient', 'RelatedPerson'] as const;
const OWNERS = ['Practitioner', 'PractitionerRole', 'Organization', 'CareTeam'] as const;
const SNOMED = 'http://snomed.info/sct';

/** @throws Fault not-found; unprocessable for a due date that has passed, or somebody or something not known */
export async function assignEducation(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<EducationAssignment>,
): Promise<Planned> {
  const found = await workableCase(records, caseId);
  const { patient } = found;
  const { topic, learner = referenceTo(patient), material, language, readingLevel, due, owner } = body;
  if (due) requireAhead(due, 'due', caller);
  await knownResource(records, found, learner.reference, LEARNERS, 'learner');
  if (owner) await knownResource(records, found, owner.reference, OWNERS, 'owner');
  if (material?.document) {
    await knownResource(records, found, material.document.reference, ['DocumentReference'], 'material.document');
  }
  const { url, title, document } = material ?? {};
  const plan = await planToExtend(records, caller, found);
  const id = randomUUID();
  const now = nowOf(caller);
  const resource: Task = {
    resourceType: 'Task',
    meta: claims('baton-education'),
    basedOn: [{ reference: plan.reference }],
    status: 'requested',
    intent: 'order',
    priority: 'routine',
    code: EDUCATION,
    description: topic,
    ...(document ? { focus: document } : {}),
    for: referenceTo(patient),
    authoredOn: now,
    lastModified: now,
    requester: caller.who as NonNullable<Task['requester']>,
    owner: owner ?? (caller.who as NonNullable<Task['owner']>),
    ...(due ? { restriction: { period: { end: due } } } : {}),
    input: [
      { type: partConcept('learner'), valueReference: learner },
      ...(url || title
        ? [{ type: partConcept('material'), valueAttachment: { ...(url ? { url } : {}), ...(title ? { title } : {}) } }]
        : []),
      ...(language ? [{ type: partConcept('language'), valueCode: language }] : []),
      ...(readingLevel ? [{ type: partConcept('reading-level'), valueCodeableConcept: conceptOf(readingLevel) }] : []),
    ],
  };
  return {
    changes: [{ op: 'create', resource, id }, ...plan.add({ activities: [`Task/${id}`] })],
    about: 0,
  };
}

/** Records that it was taught. @throws Fault not-found; unprocessable when it is over, or for a time in the future */
export async function deliverEducation(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<EducationDelivery>,
): Promise<Planned> {
  const { task } = await openEducation(records, caseId, id);
  const at = body.at ?? nowOf(caller);
  requirePast(at, 'at', caller);
  const others = task.output?.filter(
    (one) => one !== partOf(task.output, 'delivered') && one !== partOf(task.output, 'method'),
  );
  const output: Task['output'] = [
    ...(others ?? []),
    { type: partConcept('delivered'), valueDateTime: at },
    ...(body.method ? [{ type: partConcept('method'), valueCodeableConcept: conceptOf(body.method) }] : []),
  ];
  const executionPeriod = { ...task.executionPeriod, start: task.executionPeriod?.start ?? at };
  return updateOf(task, { ...task, status: 'in-progress', executionPeriod, output }, caller);
}

/**
 * Records what the learner understood, which ends this education.
 * @throws Fault not-found; unprocessable when nothing was taught yet, or a repeat is missing or makes no sense
 */
export async function recordTeachBack(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<TeachBack>,
): Promise<Planned> {
  const found = await workableCase(records, caseId);
  const { patient } = found;
  const { task } = await openEducation(records, caseId, id);
  const delivered = partOf(task.output, 'delivered')?.valueDateTime;
  if (!delivered && body.result !== 'refused') throw refused('Record first that it was taught.', 'Task.output');
  requireRepeatFits(body);
  if (body.repeat) requireAhead(body.repeat.due, 'repeat.due', caller);
  const at = body.at ?? nowOf(caller);
  requirePast(at, 'at', caller);
  if (delivered && body.at) requireOrder(delivered, body.at, ['delivered', 'at'], caller);
  const learner = (body.by ?? partOf(task.input, 'learner')?.valueReference ?? referenceTo(patient)) as Link;
  await knownResource(records, found, learner.reference, LEARNERS, 'by');
  const status = body.result === 'refused' ? 'failed' : 'completed';

  const plan = await planToExtend(records, caller, found);
  const procedureId = randomUUID();
  const result = concept(CODE_SYSTEM.teachBackResult, body.result, RESULT_WORDS[body.result]);
  const refusal = body.result === 'refused' ? { statusReason: result } : {};
  const ended: Task = {
    ...task,
    status,
    ...refusal,
    businessStatus: result,
    executionPeriod: { start: at, ...task.executionPeriod, end: at },
    output: [
      ...(task.output ?? []),
      { type: partConcept('teach-back'), valueReference: { reference: `Procedure/${procedureId}` } },
    ],
  };
  const again = body.repeat ? [repeatOf(task, body.repeat.due, `Procedure/${procedureId}`, caller)] : [];
  return {
    changes: [
      ...updateOf(task, ended, caller).changes,
      { op: 'create', resource: teachBack(body, result, at, learner, plan, patient, caller), id: procedureId },
      ...again,
      ...plan.add({ activities: again.map((one) => `Task/${one.id}`) }),
    ],
    about: 0,
  };
}

/** @throws Fault not-found; unprocessable when it is over */
export async function cancelEducation(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<EducationCancellation>,
): Promise<Planned> {
  const { task } = await readEducation(records, caseId, id);
  requireGoingOn(task);
  return updateOf(task, { ...task, status: 'cancelled', statusReason: conceptOf(body.reason) }, caller);
}

async function openEducation(records: Records, caseId: string, id: string) {
  await workableCase(records, caseId);
  const read = await readEducation(records, caseId, id);
  requireGoingOn(read.task);
  return read;
}

function requireGoingOn(task: Kept<'Task'>): Kept<'Task'> {
  if (!isTerminal(task.status)) return task;
  throw refused(`The education is ${task.status}; assign it again.`, 'Task.status');
}

function requireRepeatFits({ result, repeat }: TeachBack): void {
  const needsRepeat = result === 'needs-reinforcement' || result === 'not-understood';
  if (needsRepeat && !repeat) throw refused('repeat is missing: say when it is taught again.', 'repeat');
  if (!needsRepeat && repeat) throw refused(`repeat does not go with the result ${result}.`, 'repeat');
}

function teachBack(
  body: TeachBack,
  outcome: Procedure['outcome'],
  at: string,
  learner: Link,
  plan: ExtendablePlan,
  patient: Kept<'Patient'>,
  caller: Caller,
): Procedure {
  const isRefused = body.result === 'refused';
  return {
    resourceType: 'Procedure',
    meta: claims('baton-teach-back', 'us-core-procedure'),
    basedOn: [{ reference: plan.reference }],
    status: isRefused ? 'not-done' : 'completed',
    ...(isRefused && outcome ? { statusReason: outcome } : {}),
    category: concept(SNOMED, '409073007', 'Education'),
    code: concept(CODE_SYSTEM.serviceKind, 'teach-back', 'Teach-back'),
    subject: referenceTo(patient),
    performedDateTime: at,
    performer: [
      { actor: caller.who as NonNullable<Procedure['performer']>[number]['actor'] },
      { function: partConcept('learner'), actor: learner as NonNullable<Procedure['performer']>[number]['actor'] },
    ],
    ...(outcome ? { outcome } : {}),
    ...(body.note ? { note: [{ text: body.note, time: at }] } : {}),
  };
}

/** The same education once more, because of a teach-back. */
function repeatOf(task: Task, due: string, because: string, caller: Caller) {
  const { id: _, meta: __, output: ___, executionPeriod: ____, businessStatus: _____, text: ______, ...same } = task;
  const now = nowOf(caller);
  const resource: Task = {
    ...same,
    meta: claims('baton-education'),
    status: 'requested',
    authoredOn: now,
    lastModified: now,
    requester: caller.who as NonNullable<Task['requester']>,
    reasonReference: { reference: because },
    restriction: { period: { end: due } },
  };
  return { op: 'create' as const, resource, id: randomUUID() };
}

const RESULT_WORDS = {
  understood: 'Understood',
  'needs-reinforcement': 'Needs reinforcement',
  'not-understood': 'Not understood',
  refused: 'Refused',
} as const;

function updateOf(read: Kept<'Task'>, task: Task, caller: Caller): Planned {
  const resource = { ...task, lastModified: nowOf(caller) };
  return { changes: [{ op: 'update', resource, ifMatch: read.meta.versionId }], about: 0 };
}

function refused(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}
