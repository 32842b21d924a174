// What a sweep does about one follow-up.
import type { Change } from '../fhir/change.ts';
import type { TransitionEvent } from './events.ts';

export interface Act {
  readonly changes: readonly Change[];
  /** @param ids of the changed resources, in the order of the changes */
  readonly event: (ids: readonly string[]) => TransitionEvent;
}
