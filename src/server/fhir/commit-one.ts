// Changes as a commit, and what its failure may tell.
import { reachesAll } from '../../access/decide.ts';
import type { Grant } from '../../access/grant.ts';
import { asFault, Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { RevisionRefused } from '../../store/revision.ts';
import type { Alongside, CommitOptions, Outcome } from '../../store/store.ts';
import type { FhirContext } from './context.ts';
import { guardOf } from './write-guard.ts';

/** @throws Fault whatever the store's commit says */
export async function commitOne(context: FhirContext, grant: Grant, change: Change): Promise<Outcome> {
  const [outcome] = await commitChanges(context, grant, [change]);
  if (!outcome) throw new Error('The store answered a commit of one change with no outcome.');
  return outcome;
}

/** Of a Subscription that others change meanwhile. */
const ATTEMPTS = 3;

interface CommitManner extends Pick<CommitOptions, 'unlessNewer'> {
  readonly transaction: boolean;
  readonly alongside?: Alongside;
  /** Whether the writer gives the records out of hand by them. */
  readonly releases?: boolean;
}

/** @throws Fault whatever the store's commit says, without a reason that tells what the grant may not read */
export async function commitChanges(
  context: FhirContext,
  grant: Grant,
  changes: readonly Change[],
  options?: CommitManner,
): Promise<Outcome[]> {
  const { alongside = [], releases = false, ...rest } = options ?? {};
  const mayKnow = (type: string) => reachesAll(grant, 'read', type);
  try {
    const guard = guardOf(context, grant, changes, releases);
    for (let attempt = 1; ; attempt++) {
      const held = await context.subscriptions?.hold(grant, changes);
      const beside = held ? joined(alongside, held.alongside) : alongside;
      try {
        return await context.store.commit(grant.actor, held?.changes ?? changes, beside, { ...rest, mayKnow, guard });
      } catch (error) {
        const isOvertaken = held?.isPinned && asFault(error).kind === 'precondition';
        if (!isOvertaken || attempt === ATTEMPTS) throw error;
      }
    }
  } catch (error) {
    const isBlind = changes.some((change) => change.op === 'patch' && !mayKnow(change.type));
    // Of a revision the store tells only what may be told.
    throw isBlind && !(error instanceof RevisionRefused) ? withoutReason(error) : error;
  }
}

function joined(first: Alongside, second: Exclude<Alongside, readonly unknown[]>): Alongside {
  return (outcomes) => [...(typeof first === 'function' ? first(outcomes) : first), ...second(outcomes)];
}

/** Why a patch cannot be applied, or why its result is not valid, tells what else the resource says. */
function withoutReason(error: unknown): Fault {
  const fault = asFault(error);
  if (fault.kind !== 'unprocessable' && fault.kind !== 'invalid') return fault;
  const sentence =
    'The patch cannot be applied, or its result is not valid; only who may read the resource learns why.';
  return new Fault('unprocessable', sentence, { cause: error });
}
