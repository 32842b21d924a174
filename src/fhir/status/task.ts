// What may become of a Task. The standard's diagram is a suggestion; where the work of a nurse differs from it, a comment
// says so. https://hl7.org/fhir/R4/task.html#statemachine
import type { Task } from '@medplum/fhirtypes';
import { isEnd, type Machine } from './machine.ts';

export type TaskStatus = Task['status'];

const ENDS = ['completed', 'failed', 'cancelled', 'entered-in-error'] as const;

export const TASK: Machine<TaskStatus> = {
  name: 'Task',
  element: 'status',
  source: 'https://hl7.org/fhir/R4/task.html#statemachine',
  successors: {
    draft: ['requested', 'ready', 'cancelled', 'entered-in-error'],
    // Who has done the work may say so, although nobody accepted it first.
    requested: ['received', 'accepted', 'rejected', 'ready', 'in-progress', 'on-hold', ...ENDS],
    received: ['accepted', 'rejected', 'ready', 'in-progress', 'on-hold', ...ENDS],
    accepted: ['rejected', 'ready', 'in-progress', 'on-hold', ...ENDS],
    ready: ['in-progress', 'on-hold', ...ENDS],
    'in-progress': ['on-hold', ...ENDS],
    'on-hold': ['ready', 'in-progress', 'cancelled', 'failed', 'entered-in-error'],
    rejected: ['entered-in-error'],
    cancelled: ['entered-in-error'],
    failed: ['entered-in-error'],
    completed: ['entered-in-error'],
    'entered-in-error': [],
  },
};

/** True when nothing more will happen to the Task. */
export function isTerminal(status: TaskStatus): boolean {
  return isEnd(TASK, status);
}
