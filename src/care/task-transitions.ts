// Which status a Task may go to from which. Total: every pair has an answer. https://hl7.org/fhir/R4/task.html#statemachine
import type { Task } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';

export type TaskStatus = Task['status'];

type Row = Readonly<Record<TaskStatus, boolean>>;

const NOWHERE: Row = {
  draft: false,
  requested: false,
  received: false,
  accepted: false,
  rejected: false,
  ready: false,
  cancelled: false,
  'in-progress': false,
  'on-hold': false,
  failed: false,
  completed: false,
  'entered-in-error': false,
};

const to = (...statuses: TaskStatus[]): Row => ({
  ...NOWHERE,
  ...Object.fromEntries([...statuses, 'entered-in-error'].map((status) => [status, true])),
});

/** From -> to. A nurse who has done the work may close a Task that nobody accepted first. */
export const TASK_TRANSITIONS: Readonly<Record<TaskStatus, Row>> = {
  draft: to('requested', 'ready', 'cancelled'),
  requested: to(
    'received',
    'accepted',
    'rejected',
    'ready',
    'in-progress',
    'on-hold',
    'cancelled',
    'completed',
    'failed',
  ),
  received: to('accepted', 'rejected', 'ready', 'in-progress', 'on-hold', 'cancelled', 'completed', 'failed'),
  accepted: to('rejected', 'ready', 'in-progress', 'on-hold', 'cancelled', 'completed', 'failed'),
  ready: to('in-progress', 'on-hold', 'cancelled', 'completed', 'failed'),
  'in-progress': to('on-hold', 'cancelled', 'completed', 'failed'),
  'on-hold': to('ready', 'in-progress', 'cancelled', 'failed'),
  rejected: to(),
  cancelled: to(),
  failed: to(),
  completed: to(),
  'entered-in-error': NOWHERE,
};

const TERMINAL = new Set<TaskStatus>(['rejected', 'cancelled', 'failed', 'completed', 'entered-in-error']);

/** True when nothing more will happen to the Task. */
export function isTerminal(status: TaskStatus): boolean {
  return TERMINAL.has(status);
}

export function canBecome(from: TaskStatus, status: TaskStatus): boolean {
  return TASK_TRANSITIONS[from][status];
}

/** @throws Fault unprocessable when the table does not allow the change */
export function requireTransition(from: TaskStatus, status: TaskStatus): void {
  if (canBecome(from, status)) return;
  throw new Fault('unprocessable', `A task that is ${from} cannot become ${status}.`, {
    expression: 'Task.status',
    code: 'business-rule',
  });
}
