// What taking a message in changes, without what it says.
import type { Change } from '../fhir/change.ts';
import type { Remark } from './refusal.ts';

export interface Forecast {
  readonly remarks: readonly Remark[];
  readonly changes: readonly { readonly op: Change['op']; readonly type: string }[];
}

export function namedChanges(changes: readonly Change[]): Forecast['changes'] {
  return changes.map((change) => ({
    op: change.op,
    type: 'resource' in change ? change.resource.resourceType : change.type,
  }));
}
