// Which step a Task may take next, by the tables.
import type { Task } from '@medplum/fhirtypes';
import { isTerminal, requireTransition } from './task-transitions.ts';

/** @throws Fault unprocessable naming the status that may not follow */
export function requireStep(from: Task['status'], to: Task['status']): void {
  if (from !== to) requireTransition(from, to);
}

/** True when nothing more will happen to the Task. */
export function isOver({ status }: Pick<Task, 'status'>): boolean {
  return isTerminal(status);
}
