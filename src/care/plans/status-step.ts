// The one place where the commands of the plan ask whether a status may follow another.
import type { CarePlan, Goal, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { TASK_TRANSITIONS, type TaskStatus } from '../task-transitions.ts';

const GOAL: Readonly<Record<string, readonly string[]>> = {
  proposed: ['planned', 'accepted', 'active', 'rejected', 'cancelled'],
  planned: ['accepted', 'active', 'on-hold', 'completed', 'rejected', 'cancelled'],
  accepted: ['planned', 'active', 'on-hold', 'completed', 'cancelled'],
  active: ['on-hold', 'completed', 'cancelled'],
  'on-hold': ['planned', 'accepted', 'active', 'completed', 'cancelled'],
};

const PLAN: Readonly<Record<string, readonly string[]>> = {
  draft: ['active', 'on-hold', 'revoked'],
  active: ['on-hold', 'completed', 'revoked'],
  'on-hold': ['active', 'completed', 'revoked'],
};

type Moving = Task | Goal | CarePlan;

/**
 * That a command which is about the status may make `after` out of `before`.
 * @throws Fault unprocessable naming the statuses that may follow
 */
export function requireStep<R extends Moving>(before: R, after: R): void {
  const [from, to] = [statusOf(before), statusOf(after)];
  const legal = successors(before.resourceType, from);
  if (legal.includes(to)) return;
  const element = before.resourceType === 'Goal' ? 'lifecycleStatus' : 'status';
  const open = legal.length === 0 ? 'it stays as it is' : `it can become ${legal.join(', ')}`;
  throw new Fault('unprocessable', `A ${before.resourceType} that is ${from} cannot become ${to}; ${open}.`, {
    expression: `${before.resourceType}.${element}`,
    code: 'business-rule',
  });
}

function statusOf(resource: Moving): string {
  return resource.resourceType === 'Goal' ? resource.lifecycleStatus : resource.status;
}

function successors(type: Moving['resourceType'], from: string): readonly string[] {
  if (type === 'Goal') return GOAL[from] ?? [];
  if (type === 'CarePlan') return PLAN[from] ?? [];
  const row = TASK_TRANSITIONS[from as TaskStatus];
  return Object.entries(row).flatMap(([status, may]) => (may ? [status] : []));
}
