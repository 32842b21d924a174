// Education as an application sees it: the Task, and the Procedure of its teach-back.
import type { Procedure, Task, TaskInput } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { type CaseAtHand, caseAtHand } from '../case-at-hand.ts';
import { codedOf } from '../coded.ts';
import { concept, hasCode } from '../concept.ts';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import { belongsTo, planReferences } from '../plans/plan-of-case.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';
import type { EducationView } from './education-schema.ts';

const SNOMED = 'http://snomed.info/sct';
export const EDUCATION = concept(SNOMED, '311401005', 'Patient education');

const PART_WORDS = {
  learner: 'Learner',
  material: 'Material',
  language: 'Language',
  'reading-level': 'Reading level',
  method: 'Method',
  delivered: 'Delivered',
  'teach-back': 'Teach-back',
} as const;
export type EducationPart = keyof typeof PART_WORDS;

export const partConcept = (part: EducationPart) => concept(CODE_SYSTEM.educationPart, part, PART_WORDS[part]);

/** The input or output that is such a part. */
export function partOf<T extends Pick<TaskInput, 'type'>>(
  parts: readonly T[] | undefined,
  part: EducationPart,
): T | undefined {
  return parts?.find(({ type }) => hasCode(type, CODE_SYSTEM.educationPart, part));
}

/** @throws Fault not-found */
export async function readEducation(
  records: Records,
  caseId: string,
  id: string,
): Promise<CaseAtHand & { task: Kept<'Task'> }> {
  const atHand = await caseAtHand(records, caseId);
  const task = await records.read('Task', id);
  const isTheirs = task && hasCode(task.code, SNOMED, '311401005') && idOf(task.for, 'Patient') === atHand.patient.id;
  if (!isTheirs) throw new Fault('not-found', `The case has no education ${id}.`);
  return { ...atHand, task };
}

/** @throws Fault not-found */
export async function showEducation(records: Records, caseId: string, id: string): Promise<EducationView> {
  const { task } = await readEducation(records, caseId, id);
  const procedureId = teachBackOf(task);
  const procedure = procedureId === undefined ? undefined : await records.read('Procedure', procedureId);
  return viewEducation(task, procedure, await planReferences(records, caseId));
}

/** The latest first. @throws Fault not-found */
export async function listEducation(records: Records, caseId: string): Promise<EducationView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const subject = `Patient/${patient.id}`;
  const [tasks, procedures, plans] = await Promise.all([
    records.find('Task', { patient: subject, code: `${SNOMED}|311401005`, _sort: '-authored-on' }),
    findReadable(records, 'Procedure', { patient: subject, code: `${CODE_SYSTEM.serviceKind}|teach-back` }),
    planReferences(records, caseId),
  ]);
  const byId = new Map(procedures.map((one) => [one.id, one]));
  return tasks.map((task) => viewEducation(task, byId.get(teachBackOf(task) ?? ''), plans));
}

/** Id of the Procedure of the teach-back. */
export function teachBackOf({ output }: Task): string | undefined {
  return idOf(partOf(output, 'teach-back')?.valueReference, 'Procedure');
}

export function viewEducation(
  task: Kept<'Task'>,
  procedure: Kept<'Procedure'> | undefined,
  plans: ReadonlySet<string>,
): EducationView {
  const learner = linkedOf(partOf(task.input, 'learner')?.valueReference ?? task.for);
  const language = partOf(task.input, 'language')?.valueCode;
  const readingLevel = codedOf(partOf(task.input, 'reading-level')?.valueCodeableConcept);
  const owner = linkedOf(task.owner);
  const delivered = partOf(task.output, 'delivered')?.valueDateTime;
  const method = codedOf(partOf(task.output, 'method')?.valueCodeableConcept);
  const material = materialOf(task);
  const cancelled = task.status === 'cancelled' ? codedOf(task.statusReason) : undefined;
  const before = task.reasonReference?.reference;
  const topic = task.description ?? task.code?.text;
  return {
    id: task.id,
    version: task.meta.versionId,
    status: task.status,
    ofCase: belongsTo(task.basedOn, plans),
    ...(topic ? { topic } : {}),
    ...(learner ? { learner } : {}),
    ...(material ? { material } : {}),
    ...(language ? { language } : {}),
    ...(readingLevel ? { readingLevel } : {}),
    ...(task.restriction?.period?.end ? { due: task.restriction.period.end } : {}),
    ...(owner ? { owner } : {}),
    ...(delivered ? { delivered } : {}),
    ...(method ? { method } : {}),
    ...(before ? { repeats: { teachBack: before } } : {}),
    ...(cancelled ? { cancelled } : {}),
    ...(procedure ? { teachBack: viewTeachBack(procedure) } : {}),
  };
}

function materialOf({ focus, input }: Task): EducationView['material'] {
  const document = linkedOf(focus?.reference?.startsWith('DocumentReference/') ? focus : undefined);
  const { url, title } = partOf(input, 'material')?.valueAttachment ?? {};
  if (!document && !url && !title) return undefined;
  return { ...(document ? { document } : {}), ...(url ? { url } : {}), ...(title ? { title } : {}) };
}

function viewTeachBack(procedure: Procedure & { id: string }): EducationView['teachBack'] {
  const actorOf = (part: string) =>
    linkedOf(procedure.performer?.find((one) => one.function?.coding?.some(({ code }) => code === part))?.actor);
  const by = actorOf('learner');
  const educator = linkedOf(procedure.performer?.find((one) => one.function === undefined)?.actor);
  const result = procedure.outcome?.coding?.find(({ system }) => system === CODE_SYSTEM.teachBackResult)?.code;
  const note = procedure.note?.[0]?.text;
  return {
    id: procedure.id,
    ...(result ? { result } : {}),
    ...(procedure.performedDateTime ? { at: procedure.performedDateTime } : {}),
    ...(by ? { by } : {}),
    ...(educator ? { educator } : {}),
    ...(note ? { note } : {}),
  };
}
