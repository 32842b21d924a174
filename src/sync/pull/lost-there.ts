// What it means here that a server lost a resource, because it was restored or wiped. Nobody deleted it: ours is made there again,
// what came from there stays and a person is asked. docs/sync-spec.md#I5 docs/sync-spec.md#I21
import type { Statement } from '../../store/store.ts';
import { readOpenConflict, supersede } from '../conflicts/conflict.ts';
import { pushes } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, replaceLink } from '../identity.ts';
import { markReferring, markStoodFor } from '../let-go.ts';
import { canPush } from '../push/dependencies.ts';
import { isLookedFor } from '../push/looked-for.ts';
import { hurry, mark, rememberAttempt } from '../push/outbox.ts';
import { readUnseen, stillUnseen } from '../unseen.ts';
import type { Incoming } from './incoming.ts';
import { askWhetherGone, nothingOf, planGone } from './remote-gone.ts';

/**
 * Plans what follows; writes nothing. A push that reached the record meanwhile has shown that it is there.
 * @param mayBeElsewhere its id there is another's by now: it is looked for before it is made again
 */
export async function planLost(context: RunContext, link: Link, mayBeElsewhere = false): Promise<Incoming> {
  const { store } = context;
  const { connection, type, localId, remoteId } = link;
  const isUnseen = (await readUnseen(store, connection, type, remoteId)) !== undefined;
  if (link.state === 'tombstone' || !isUnseen) return nothingOf(link);
  const stored = await store.read(type, localId);
  // Nothing is here, either, that could be made there.
  if (!stored || stored.operation === 'delete') return planGone(context, link);
  if (!(await isOurs(context, link))) return askWhetherGone(context, link, stored, true);
  const now = realNow(context);
  const statements: Statement[] = [
    stillUnseen(connection, type, remoteId),
    supersede(connection, type, localId),
    replaceLink(link, now),
    // As if changed just now, so that one that is being sent goes again.
    mark(connection, type, localId, await store.head(), now),
    hurry(connection, type, localId),
    ...(mayBeElsewhere ? [rememberAttempt({ connection, type, localId }, now)] : []),
    // Where a create follows for certain, that tells what refers to it: it takes a look at all links.
    ...(isLookedFor(type) ? await markReferring(store, connection, { type, id: localId }, now) : []),
    ...(await markStoodFor(store, link, now)),
  ];
  return { ...nothingOf(link), outcome: 'lost', statements };
}

/** We made it there and can do so again, and no more is asked about it than whether it is gone: no words of theirs are in dispute. */
async function isOurs(context: RunContext, { connection, type, localId, state, how }: Link): Promise<boolean> {
  if (how !== 'created-by-us' || !pushes(context.connection, type) || !canPush(context, type)) return false;
  if (state !== 'conflict') return true;
  const open = await readOpenConflict(context.store, connection, type, localId);
  return open?.kind === 'deleted' && open.remote === undefined;
}
