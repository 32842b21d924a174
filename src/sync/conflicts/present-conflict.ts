// An open conflict as it stands now. Since it was opened, what the copies refer to may have been linked and ours may have been
// edited: the sides that were kept are put into the terms of now and merged again, as they were merged then.
// docs/sync-spec.md#I10
import { comparable, parseBody } from '../body.ts';
import type { MappedContext } from '../context.ts';
import { inPresentTerms } from '../present-terms.ts';
import { reconcileDoubted } from '../pull/doubt.ts';
import { asksWho, type Conflict } from './conflict.ts';
import type { Policies } from './policies.ts';

/** The same conflict; where both sides have a copy, with ours as it is and the merge of now. Decided ones stay as they were. */
export async function presentConflict(
  context: MappedContext & { readonly policies: Policies },
  conflict: Conflict,
): Promise<Conflict> {
  if (conflict.state !== 'open' || asksWho(conflict)) return conflict;
  const { store, policies } = context;
  const { type, localId, kind, age, isDoubted } = conflict;
  const [base, remote] = await inPresentTerms(context, [conflict.base, conflict.remote] as const);
  const stored = await store.read(type, localId);
  if (kind !== 'content' || !base || !remote || !stored || stored.operation === 'delete') {
    return { ...conflict, base, remote };
  }
  const [local] = await inPresentTerms(context, [comparable(parseBody(stored.content))] as const);
  const copies = { baseLocal: base, baseRemote: base, local, remote };
  const merge = await reconcileDoubted(store, () => isDoubted, stored, copies, policies[type] ?? {}, age);
  const ours = { local, localVersion: stored.versionId };
  return { ...conflict, ...ours, base, remote, proposed: merge.merged, paths: merge.conflicts };
}
