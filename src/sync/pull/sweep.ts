// Compares everything that is linked with everything that is there, whatever the streams say they have read. It bounds every
// other mistake: late rows, lost checkpoints, deletes that nobody tells of. docs/sync-spec.md#I21
import type { Lease } from '../../store/lease.ts';
import type { Statement } from '../../store/store.ts';
import { actorOf, pulls } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { isThere } from '../identity-row.ts';
import { writeMessage } from '../messages/message-log.ts';
import { allHeld } from '../patients/held.ts';
import { asUnseen, hasShown, notSeen, replacedAt, seen, unseenTypes } from '../unseen.ts';
import { startProbeAtOnce, startProbes } from './delete-probe.ts';
import { IdSet } from './id-set.ts';
import { type Listed, listRemote } from './list-remote.ts';
import { readEach } from './read-each.ts';
import { pullRoster } from './roster.ts';
import { choosePlan, type PullPlan } from './strategy.ts';
import { readRefusal } from './type-refusal.ts';

export interface SweepResult {
  /**
   * `implausible`: more is missing than anybody deletes, so no probe was started and a person is asked. `put-off`: the server was
   * replaced, and has shown nothing yet of what it had.
   */
  readonly outcome: 'done' | 'incomplete' | 'implausible' | 'put-off' | 'no-strategy';
  readonly applied: number;
  /** Linked here and not listed there. */
  readonly missing: number;
}

const CHUNK = 1_000;
const IDS_PER_COMMIT = 200;
/** Below so many even all of them may have been deleted. */
const FEW = 20;

export interface SweepWish {
  /** A person says that the server lost what is missing, however much it is. */
  readonly isLost: boolean;
  /** No other type is left that the server could show something of. */
  readonly isLast: boolean;
}

export async function sweepType(
  context: RunContext,
  type: string,
  lease: Lease,
  wish: SweepWish,
): Promise<SweepResult> {
  const { connection } = context;
  const plan = await planOf(context, type);
  const listed = plan && (await list(context, type, plan, lease));
  const applied = listed?.applied ?? 0;
  if (listed && !listed.complete) return { outcome: 'incomplete', applied, missing: 0 };
  if (listed && plan?.by !== 'id') return compare(context, type, { ...listed, ...wish }, lease);
  // Where each is read by its id, a missing one has its probe already, and what only goes out is not asked for; but a server
  // that was replaced may have lost some.
  const isAsked = wish.isLost || (await unseenTypes(context.store, connection.name)).has(type);
  if (!isAsked) return { outcome: listed ? 'done' : 'no-strategy', applied, missing: 0 };
  const each = await readEach(context, type, lease, wish.isLost);
  if (!each.complete) return { outcome: 'incomplete', applied, missing: 0 };
  return compare(context, type, { applied, ids: each.ids, ...wish }, lease);
}

/** Undefined when nothing of the type can be listed. */
async function planOf(context: RunContext, type: string): Promise<PullPlan | undefined> {
  const { connection, capability, remote } = context;
  if (!pulls(connection, type)) return undefined;
  const refusal = await readRefusal(context, type);
  const plan = choosePlan(connection, capability, remote.vendor, type, refusal.unable);
  return plan.strategy === 'none' || refusal.closed ? undefined : plan;
}

function list(context: RunContext, type: string, plan: PullPlan, lease: Lease): Promise<Listed> {
  return plan.strategy === 'roster' ? listRosters(context, type, plan, lease) : listRemote(context, type, lease);
}

type Found = Pick<Listed, 'applied' | 'ids'> & SweepWish;

async function compare(context: RunContext, type: string, found: Found, lease: Lease): Promise<SweepResult> {
  const { connection, store } = context;
  const { ids, applied, isLost, isLast } = found;
  const { linked, missing } = await missingThere(context, type, ids, lease);
  const isReplaced = !isLost && missing.some(({ isUnseen }) => isUnseen);
  const isStrange = isReplaced && !(await hasShown(store, connection.name));
  if (isStrange && !isLast) return { outcome: 'put-off', applied, missing: missing.length };
  // Who left the scope may be hidden instead of lost, and a restored Group may not name them: made again they would be there twice.
  const isUnsure = isStrange || (isReplaced && context.scope !== undefined);
  const isPlausible = isLost || (!isUnsure && (linked < FEW || missing.length <= linked / 2));
  const result = { outcome: isPlausible ? 'done' : 'implausible', applied, missing: missing.length } as const;
  if (!isPlausible) {
    await raise(context, type, linked, missing.length);
    return result;
  }
  const now = realNow(context);
  const isAtOnce = ({ isUnseen }: Missing) => isLost || isUnseen;
  const lost = missing.filter(isAtOnce).map(({ remoteId }) => remoteId);
  await commitEach(context, lost, lease, (some) => [
    notSeen(connection.name, type, some, isLost ? 'lost' : 'missing'),
    ...some.map((id) => startProbeAtOnce(connection.name, type, id, now)),
  ]);
  // What waits for an answer about its patient would come in after it. What a replaced server had shown before may be lost there, not deleted.
  const since = await replacedAt(store, connection.name);
  const held = (await allHeld(store, connection.name, type, since)).filter((id) => !ids.has(id));
  const deleted = missing.filter((one) => !isAtOnce(one)).map(({ remoteId }) => remoteId);
  await startProbes(context, type, [...deleted, ...held], lease);
  return result;
}

async function listRosters(context: RunContext, type: string, plan: PullPlan, lease: Lease): Promise<Listed> {
  const ids = new IdSet();
  let complete = true;
  const result = await pullRoster(context, type, plan, lease, {
    asked: true,
    fresh: true,
    onAnswer(some, isComplete) {
      for (const id of some) ids.add(id);
      complete &&= isComplete;
    },
  });
  return { applied: result.applied, ids, complete: complete && result.outcome === 'done' };
}

interface Missing {
  readonly remoteId: string;
  /** Since the server was replaced. */
  readonly isUnseen: boolean;
}

interface Compared {
  readonly linked: number;
  readonly missing: readonly Missing[];
}

/** What had not been seen since then, and is there, is marked on the way: it may be everything. */
async function missingThere(context: RunContext, type: string, ids: IdSet, lease: Lease): Promise<Compared> {
  const { store, connection } = context;
  const missing: Missing[] = [];
  let linked = 0;
  const sql = `SELECT remote_id, unseen FROM identity WHERE connection = ? AND type = ? AND ${isThere()}
    AND how <> 'projected' AND remote_id > ? ORDER BY remote_id LIMIT ${CHUNK}`;
  for (let last = ''; ; ) {
    const rows = await store.query(sql, [connection.name, type, last]);
    linked += rows.length;
    const shown: string[] = [];
    for (const row of rows) {
      const [remoteId, isUnseen] = [String(row.remote_id), asUnseen(row.unseen) !== undefined];
      if (!ids.has(remoteId)) missing.push({ remoteId, isUnseen });
      else if (isUnseen) shown.push(remoteId);
    }
    await commitEach(context, shown, lease, (some) => [seen(connection.name, type, some)]);
    if (rows.length < CHUNK) return { linked, missing };
    last = String(rows.at(-1)?.remote_id);
  }
}

async function commitEach(
  context: RunContext,
  ids: readonly string[],
  lease: Lease,
  about: (some: readonly string[]) => Statement[],
): Promise<void> {
  const { store, connection, runId } = context;
  for (let start = 0; start < ids.length; start += IDS_PER_COMMIT) {
    const statements = about(ids.slice(start, start + IDS_PER_COMMIT));
    await store.commit(actorOf(connection, runId), [], [...statements, lease.fence]);
  }
}

/** A server that lost half of a type was restored wrongly, or shows us less than before; nobody deleted that much. */
async function raise(context: RunContext, type: string, linked: number, missing: number): Promise<void> {
  const { store, connection, runId, emit, log } = context;
  const detail = `${missing} of ${linked} linked ${type} resources are not listed there. Nothing was taken for deleted.`;
  const about = {
    connection: connection.name,
    runId,
    direction: 'pull',
    type,
    outcome: 'sweep-implausible',
    detail,
  } as const;
  await store.commit(actorOf(connection, runId), [], [writeMessage(about, realNow(context))]);
  log.warn({ connection: connection.name, type, linked, missing }, 'a sweep misses too much to believe it');
  emit({ kind: 'sweep', connection: connection.name, type, detail });
}
