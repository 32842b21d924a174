// Taking up into the plan what is there already, e.g. a problem of an EHR or a goal of a SMART app, or leaving it out.
import type { CarePlan, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { workableCase } from '../case-at-hand.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { touched } from '../touched.ts';
import { itemOfCase } from './item-of-case.ts';
import { type Additions, planToExtend, requirePlan } from './plan-of-case.ts';

type Part = 'Condition' | 'Goal' | 'Task';

const KIND = { Condition: 'needs', Goal: 'goals', Task: 'activities' } as const satisfies Record<Part, keyof Additions>;
const ELEMENT = { Condition: 'addresses', Goal: 'goal', Task: 'activity' } as const;

interface Input {
  readonly caseId: string;
  readonly type: Part;
  readonly id: string;
}

/** A Task is then based on the plan, too. @throws Fault not-found; unprocessable */
export async function takeUp(records: Records, caller: Caller, { caseId, type, id }: Input): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const item = await itemOfCase(records, about, type, id);
  const plan = await planToExtend(records, caller, about);
  const based = item.resourceType === 'Task' ? basedOn(item, plan.reference, caller) : [];
  return { changes: [...plan.add({ [KIND[type]]: [`${type}/${id}`] }), ...based], about: 0 };
}

/** What is left out stays as it is, and is shown as not of the plan. @throws Fault not-found; unprocessable */
export async function leaveOut(records: Records, { caseId, type, id }: Input): Promise<Planned> {
  await itemOfCase(records, await workableCase(records, caseId), type, id);
  const plan = await requirePlan(records, caseId);
  const left = withoutPart(plan, type, `${type}/${id}`);
  if (!left) {
    throw new Fault('unprocessable', 'The plan does not refer to it.', {
      expression: `CarePlan.${ELEMENT[type]}`,
      code: 'business-rule',
    });
  }
  const change: Change = {
    op: 'patch',
    type: 'CarePlan',
    id: plan.id,
    revise: (current) => withoutPart(current as CarePlan, type, `${type}/${id}`) ?? current,
  };
  return { changes: [change], about: 0 };
}

/** Undefined when the plan does not have it. */
export function withoutPart(plan: CarePlan, type: Part, reference: string): CarePlan | undefined {
  const element = ELEMENT[type];
  const parts = (plan[element] ?? []) as { reference?: string | { reference?: string } }[];
  const isIt = ({ reference: to }: (typeof parts)[number]) =>
    (typeof to === 'object' ? to.reference : to) === reference;
  if (!parts.some(isIt)) return undefined;
  const left = parts.filter((part) => !isIt(part));
  const { [element]: _, ...rest } = plan;
  return (left.length > 0 ? { ...rest, [element]: left } : rest) as CarePlan;
}

function basedOn(task: Kept<'Task'>, plan: string, { now }: Caller): Change[] {
  if (task.basedOn?.some(({ reference }) => reference === plan)) return [];
  const resource: Task = touched({ ...task, basedOn: [...(task.basedOn ?? []), { reference: plan }] }, now);
  return [{ op: 'update', resource, ifMatch: task.meta.versionId }];
}
