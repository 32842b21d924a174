// Commands that are about a status ask the machines before anything is written; the commit asks them again, of everybody.
import type { CarePlan, Goal, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { next, refuseStep } from '../../fhir/status/step.ts';

/** Whose step it is, is asked at the commit, which knows who acts for whom. */
const ANYBODY = { parties: 'any', mayLeap: false } as const;

/**
 * That a command may make `after` out of `before`. The same status again is no step.
 * @throws Fault unprocessable naming the statuses that may follow
 */
export function requireStep<R extends Task | Goal | CarePlan>(before: R, after: R): void {
  const element = before.resourceType === 'Goal' ? 'lifecycleStatus' : 'status';
  const expression = `${before.resourceType}.${element}`;
  const refusal = refuseStep(before, after, ANYBODY);
  if (refusal) throw refuse(refusal.sentence, refusal.expression);
  const status = statusOf(before);
  if (status !== statusOf(after)) return;
  const legal = next(before, ANYBODY).join(', ');
  throw refuse(
    `The ${before.resourceType} is ${status} already${legal ? `; it can become ${legal}` : ''}.`,
    expression,
  );
}

function statusOf(resource: Task | Goal | CarePlan): string {
  return resource.resourceType === 'Goal' ? resource.lifecycleStatus : resource.status;
}

function refuse(sentence: string, expression: string): Fault {
  return new Fault('unprocessable', sentence, { expression, code: 'business-rule' });
}
