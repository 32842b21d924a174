// The step from one status to the next, by the tables.
import type { Task } from '@medplum/fhirtypes';
import { requireTransition } from './task-transitions.ts';

/** @throws Fault unprocessable naming the status that may not follow */
export function requireStep(_type: 'Task', from: Task['status'], to: Task['status']): void {
  if (from !== to) requireTransition(from, to);
}
