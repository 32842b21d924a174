// One change as one commit.
import type { Grant } from '../../access/grant.ts';
import type { Change } from '../../fhir/change.ts';
import type { Outcome } from '../../store/store.ts';
import type { FhirContext } from './context.ts';

/** @throws Fault whatever the store's commit says */
export async function commitOne(context: FhirContext, grant: Grant, change: Change): Promise<Outcome> {
  const [outcome] = await context.store.commit(grant.actor, [change]);
  if (!outcome) throw new Error('The store answered a commit of one change with no outcome.');
  return outcome;
}
