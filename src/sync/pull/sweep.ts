// Compares everything that is linked with everything that is there, whatever the streams say they have read. It bounds every
// other mistake: late rows, lost checkpoints, deletes that nobody tells of. docs/sync-spec.md#I21
import type { Lease } from '../../store/lease.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { isThere } from '../identity-row.ts';
import { writeMessage } from '../messages/message-log.ts';
import { allHeld } from '../patients/held.ts';
import { startProbes } from './delete-probe.ts';
import { IdSet } from './id-set.ts';
import { type Listed, listRemote } from './list-remote.ts';
import { pullRoster } from './roster.ts';
import { choosePlan, type PullPlan } from './strategy.ts';
import { readRefusal } from './type-refusal.ts';

export interface SweepResult {
  /** `implausible`: more is missing than anybody deletes, so no probe was started and a person is asked. */
  readonly outcome: 'done' | 'incomplete' | 'implausible' | 'no-strategy';
  readonly applied: number;
  /** Linked here and not listed there. */
  readonly missing: number;
}

const CHUNK = 1_000;
/** Below so many even all of them may have been deleted. */
const FEW = 20;

export async function sweepType(context: RunContext, type: string, lease: Lease): Promise<SweepResult> {
  const { connection, capability, remote } = context;
  const refusal = await readRefusal(context, type);
  const plan = choosePlan(connection, capability, remote.vendor, type, refusal.unable);
  if (plan.strategy === 'none' || refusal.closed) return { outcome: 'no-strategy', applied: 0, missing: 0 };
  const listed = await (plan.strategy === 'roster'
    ? listRosters(context, type, plan, lease)
    : listRemote(context, type, lease));
  const { applied } = listed;
  // Where each is read by its id, a missing one has its probe already.
  if (!listed.complete || plan.by === 'id') {
    return { outcome: listed.complete ? 'done' : 'incomplete', applied, missing: 0 };
  }
  const { linked, missing } = await missingThere(context, type, listed.ids);
  const isPlausible = linked < FEW || missing.length <= linked / 2;
  if (isPlausible) {
    // What waits for an answer about its patient would come in after it.
    const held = (await allHeld(context.store, connection.name, type)).filter((id) => !listed.ids.has(id));
    await startProbes(context, type, [...missing, ...held], lease);
  } else await raise(context, type, linked, missing.length);
  return { outcome: isPlausible ? 'done' : 'implausible', applied, missing: missing.length };
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

async function missingThere(
  { store, connection }: RunContext,
  type: string,
  ids: IdSet,
): Promise<{ readonly linked: number; readonly missing: readonly string[] }> {
  const missing: string[] = [];
  let linked = 0;
  const sql = `SELECT remote_id FROM identity WHERE connection = ? AND type = ? AND ${isThere()}
    AND how <> 'projected' AND remote_id > ? ORDER BY remote_id LIMIT ${CHUNK}`;
  for (let last = ''; ; ) {
    const rows = await store.query(sql, [connection.name, type, last]);
    linked += rows.length;
    missing.push(...rows.map((row) => String(row.remote_id)).filter((id) => !ids.has(id)));
    if (rows.length < CHUNK) return { linked, missing };
    last = String(rows.at(-1)?.remote_id);
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
