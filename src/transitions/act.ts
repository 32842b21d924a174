// What a sweep does about one follow-up.
import type { Task } from '@medplum/fhirtypes';
import type { Change } from '../fhir/change.ts';
import type { TransitionEvent } from './events.ts';

export interface Act {
  readonly changes: readonly Change[];
  /** @param ids of the changed resources, in the order of the changes */
  readonly event: (ids: readonly string[]) => TransitionEvent;
}

/** Makes a follow-up another, while it is as the sweep has read it. */
export function changeTask(read: Task, after: Task): Change {
  return { op: 'update', resource: after, ifMatch: read.meta?.versionId, before: read };
}
