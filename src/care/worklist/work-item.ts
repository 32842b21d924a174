// A Task as somebody sees it who has to do it.
import type { CarePlan, Patient, Task } from '@medplum/fhirtypes';
import { next } from '../../fhir/status/step.ts';
import type { TaskStatus } from '../../fhir/status/task.ts';
import { codedOf } from '../coded.ts';
import { linkedOf } from '../linked.ts';
import { personName } from '../person-name.ts';
import type { Caller, Kept } from '../records.ts';
import { idOf } from '../stored.ts';
import { IDENTIFIER } from '../systems.ts';
import { isOverdue } from './overdue.ts';
import type { WorkItem } from './worklist-schema.ts';

/** Verb of the API to the status that it leads to. */
const VERBS = {
  accept: 'accepted',
  reject: 'rejected',
  start: 'in-progress',
  hold: 'on-hold',
  resume: 'in-progress',
  complete: 'completed',
  fail: 'failed',
  cancel: 'cancelled',
} as const satisfies Record<string, TaskStatus>;

/** What the tasks of a page refer to, as far as the caller may see it. */
export interface Beside {
  readonly patients: ReadonlyMap<string, Patient>;
  readonly plans: ReadonlyMap<string, CarePlan>;
}

export function workItem(task: Kept<'Task'>, { patients, plans }: Beside, caller: Caller): WorkItem {
  const { id, meta, code, description, status, businessStatus, priority = 'routine', owner, restriction } = task;
  const patient = patients.get(idOf(task.for, 'Patient') ?? '');
  const name = patient && personName(patient.name);
  const planId = planIdOf(task);
  const plan = planId === undefined ? undefined : plans.get(planId);
  const caseId = plan?.identifier?.find(({ system }) => system === IDENTIFIER.casePlan)?.value;
  const { start, end: due } = restriction?.period ?? {};
  const item: { [K in keyof WorkItem]: WorkItem[K] | undefined } = {
    id,
    version: meta.versionId,
    task: { reference: `Task/${id}` },
    kind: codedOf(code),
    description,
    status,
    businessStatus: codedOf(businessStatus),
    priority,
    owner: linkedOf(owner),
    patient: linkedOf(task.for && name !== undefined ? { ...task.for, display: name } : task.for),
    case: caseId,
    plan:
      planId === undefined
        ? undefined
        : { reference: `CarePlan/${planId}`, ...(plan?.title ? { display: plan.title } : {}) },
    start,
    due,
    overdue: isOverdue(task, caller),
    verbs: verbsOf(task, caller),
  };
  return Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)) as WorkItem;
}

/** Of a referral only what the caller's side may do; `resume` and `start` lead to the same status from different ones. */
function verbsOf(task: Task, { who }: Caller): string[] {
  const parties = who.reference === undefined ? 'any' : new Set([who.reference]);
  const open = next(task, { parties, mayLeap: false });
  return Object.entries(VERBS).flatMap(([verb, to]) => {
    const isOther = to === 'in-progress' && (verb === 'resume') !== (task.status === 'on-hold');
    return open.includes(to) && !isOther ? [verb] : [];
  });
}

export function planIdOf({ basedOn = [] }: Task): string | undefined {
  return basedOn.flatMap((each) => idOf(each, 'CarePlan') ?? [])[0];
}
