// The steps of an intervention's life, up to what came of it.
import type { Task, TaskOutput } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { workableCase } from '../case-at-hand.ts';
import { conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { asStart, nowOf, requireOrder, requirePast } from '../given-time.ts';
import { knownResource } from '../known-resource.ts';
import { choiceOf } from '../measured-value.ts';
import { withNote } from '../note.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import { outcomesInPlan } from '../plans/outcomes-in-plan.ts';
import { currentPlan } from '../plans/plan-of-case.ts';
import { requireStep } from '../plans/status-step.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { touched } from '../touched.ts';
import type { InterventionStep } from './intervention-schema.ts';
import { isGeneral, patientOutput } from './patient-task.ts';

/** Verb of the API to `Task.status`. */
export const TASK_STEPS = {
  accept: 'accepted',
  start: 'in-progress',
  hold: 'on-hold',
  resume: 'in-progress',
  complete: 'completed',
  fail: 'failed',
  cancel: 'cancelled',
  reject: 'rejected',
} as const satisfies Record<string, Task['status']>;
export type TaskVerb = keyof typeof TASK_STEPS;

const NEEDS_REASON = new Set<TaskVerb>(['hold', 'fail', 'cancel', 'reject']);
const ENDS = new Set<TaskVerb>(['complete', 'fail']);

/** What a result may be. */
const RESULTS = [
  'Observation',
  'DocumentReference',
  'QuestionnaireResponse',
  'Procedure',
  'Communication',
  'Encounter',
  'Condition',
  'Appointment',
  'ServiceRequest',
  'DiagnosticReport',
] as const;

/** @throws Fault not-found; unprocessable when the intervention cannot take the step, or naming the member */
export async function moveIntervention(
  records: Records,
  caller: Caller,
  {
    caseId,
    id,
    verb,
    body,
  }: { readonly caseId: string; readonly id: string; readonly verb: TaskVerb; readonly body: InterventionStep },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const task = await itemOfCase(records, about, 'Task', id);
  const resource = movedTask(task, verb, body, caller);
  const results = (body.outputs ?? []).flatMap(({ reference }, at) => (reference ? [{ reference, at }] : []));
  for (const { reference, at } of results) {
    await knownResource(records, about, reference.reference, RESULTS, `outputs[${at}].reference`);
  }
  const shown = results.map(({ reference }) => reference.reference);
  const plan = shown.length > 0 ? await currentPlan(records, caseId) : undefined;
  return {
    changes: [
      { op: 'update', resource, ifMatch: task.meta.versionId },
      ...(plan ? [outcomesInPlan(plan.id, `Task/${task.id}`, shown)] : []),
    ],
    about: 0,
  };
}

/** @throws Fault unprocessable */
export function movedTask(task: Task, verb: TaskVerb, step: InterventionStep, caller: Caller): Task {
  const { at, reason, note } = step;
  if (NEEDS_REASON.has(verb) && !reason) {
    throw new Fault('unprocessable', 'Say why: reason is missing.', { expression: 'reason', code: 'required' });
  }
  if (at) requirePast(at, 'at', caller);
  requireOrder(task.executionPeriod?.start, at, ['its start', 'at'], caller);
  const outputs = outputsOf(task, verb, step);
  const when = at ? asStart(at, caller.zone) : nowOf(caller);
  const { statusReason: _, ...rest } = task;
  const period = ENDS.has(verb)
    ? { end: when }
    : verb === 'start' && !task.executionPeriod?.start
      ? { start: when }
      : {};
  const next: Task = {
    ...rest,
    status: TASK_STEPS[verb],
    ...(reason ? { statusReason: reasonOf(reason) } : {}),
    ...(Object.keys(period).length > 0 ? { executionPeriod: { ...task.executionPeriod, ...period } } : {}),
    ...(outputs.length > 0 ? { output: [...(task.output ?? []), ...outputs] } : {}),
    ...withNote(task.note, caller, note),
  };
  requireStep(task, next);
  return touched(next, caller.now);
}

/** Gravity wants words with every reason. */
function reasonOf(reason: NonNullable<InterventionStep['reason']>) {
  const given = conceptOf(reason);
  return { ...given, text: given.text ?? reason.code ?? '' };
}

function outputsOf(task: Task, verb: TaskVerb, { outcome, outputs = [] }: InterventionStep): TaskOutput[] {
  if (!ENDS.has(verb) && (outcome || outputs.length > 0)) {
    throw new Fault('unprocessable', 'Only what is completed or has failed has an outcome.', {
      expression: outcome ? 'outcome' : 'outputs',
      code: 'business-rule',
    });
  }
  const isPatients = isGeneral(task);
  const kind = concept(CODE_SYSTEM.interventionOutput, 'outcome', 'Outcome');
  const first =
    outcome &&
    (isPatients
      ? patientOutput(outcome.text ?? outcome.code, 'outcome')
      : { type: kind, valueCodeableConcept: conceptOf(outcome) });
  const others = outputs.map(({ type, value, reference }, at) => {
    const member = `outputs[${at}]`;
    if ((value === undefined) === (reference === undefined)) {
      throw new Fault('unprocessable', `${member} must have a value or a reference, not both.`, {
        expression: member,
        code: 'required',
      });
    }
    if (isPatients) return patientOutput(value?.text, member);
    const content = value ? choiceOf('value', value) : { valueReference: reference };
    return { type: type ? conceptOf(type) : kind, ...content };
  });
  return [...(first ? [first] : []), ...others] as TaskOutput[];
}
