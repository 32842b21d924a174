// What becomes of the steps of a plan that gives way to another one, and of those that are new.
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { urlOfStep } from '../care/transition/apply-plan-definition.ts';
import { isEscalation } from '../care/transition/escalation.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import type { ProtocolStep } from '../care/transition/protocol.ts';
import type { LivePlan } from './live-plan.ts';
import type { Reaction } from './reaction.ts';

/** What a step is carried out by. */
export type Activity = Task | ServiceRequest;

/** A step of either plan: what it was, and what it is from now on. */
export interface StepChange {
  readonly step: string;
  readonly before?: Activity | undefined;
  readonly after?: Activity | undefined;
  /** Seen through under an earlier plan, which it stays with. */
  readonly isDoneBefore?: true;
}

/** What the new plan has taken over. */
export interface Taken {
  readonly step: ProtocolStep;
  readonly before: Activity;
  readonly after: Activity;
}

export function stepChanges(
  plan: LivePlan,
  taken: readonly Taken[],
  steps: readonly ProtocolStep[],
  { changes }: Reaction,
  episode: string,
): StepChange[] {
  const made = new Map(
    changes.flatMap((change): [string, Activity][] =>
      change.op === 'create' &&
      (change.resource.resourceType === 'Task' || change.resource.resourceType === 'ServiceRequest')
        ? [[change.fullUrl ?? '', change.resource]]
        : [],
    ),
  );
  const isTaken = (activity: Activity) => taken.some(({ before }) => before === activity);
  const known = plan.tasks.filter((task) => {
    const key = followUpKey(task);
    return key !== undefined && !isEscalation(key) && !isTaken(task);
  });
  const before = new Map(known.map((task) => [followUpKey(task)?.step ?? '', task]));
  const after = steps
    .filter(({ id }) => !taken.some(({ step }) => step.id === id))
    .map(({ id }): StepChange => {
      const was = before.get(id);
      before.delete(id);
      const now = made.get(urlOfStep(episode, id));
      return now ? { step: id, before: was, after: now } : { step: id, before: was, isDoneBefore: true };
    });
  const carried = taken.map((one): StepChange => {
    // Of the same step there may be one that was given up, too.
    before.delete(one.step.id);
    return { step: one.step.id, before: one.before, after: one.after };
  });
  const gone = [...before].map(([step, task]): StepChange => ({ step, before: task }));
  const orders = plan.orders
    .filter((order) => !isTaken(order) && order.status === 'active')
    .map((order): StepChange => ({ step: stepNameOf(order), before: order }));
  return [...carried, ...after, ...gone, ...orders].toSorted((a, b) => (a.step < b.step ? -1 : 1));
}

/** An order does not say which step it was made for, but what it was made from. */
const stepNameOf = ({ instantiatesCanonical = [], id = '' }: ServiceRequest) =>
  instantiatesCanonical[0]?.split('|')[0]?.split('/').at(-1) ?? id;
