// What comes before and after the types of one pull: what changed about the server itself, whose records flow, and what was
// left open. docs/sync-spec.md#I5 docs/sync-spec.md#I29
import type { Lease } from '../../store/lease.ts';
import { noteCapability } from '../connections/note-capability.ts';
import { noteClock } from '../connections/note-clock.ts';
import { actorOf, pushes } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { repoint } from '../repoint.ts';
import { unseenTypes } from '../unseen.ts';
import { runProbes } from './delete-probe.ts';
import { currentEpoch, SWEEP_DUE } from './epoch.ts';
import { patientsInScope } from './patient-scope.ts';
import { forgetFact, readFact, saveFact } from './remote-fact.ts';
import { followScope } from './scope-change.ts';
import { sweepType } from './sweep.ts';

const HOUR = 60 * 60_000;
/** A fact while a person's word, that the server lost what is missing, has not been followed for some types. */
const LOST_DUE = 'lost-sweep-due';

/** Undefined when nothing can be pulled, because whose records flow cannot be found out. */
export async function preparePull(run: RunContext, lease: Lease): Promise<RunContext | undefined> {
  await noteCapability(run);
  const epoch = await currentEpoch(run);
  const scope = await patientsInScope(run);
  if (scope.ok) {
    const pulling = { ...run, fence: lease.fence, epoch, scope: scope.value };
    await followScope(pulling, lease);
    return pulling;
  }
  run.log.warn(
    { connection: run.connection.name, class: scope.failure.class },
    'the patients in scope are unknown; nothing is pulled',
  );
  return undefined;
}

/** What a sweep has left, of which kind ever, since the server was replaced or a person said that it lost something. */
export async function sweepLeft(run: RunContext, types: readonly string[], lease: Lease): Promise<void> {
  await sweepReplaced(run, types, lease);
  const due = await readFact(run.store, run.connection.name, LOST_DUE);
  if (!due || realNow(run) < due.at + HOUR) return;
  await sweepLost(run, due.value.split(' '), lease);
}

/**
 * Where nothing is pulled, what was sent is looked for as well once the server turns out to be another than it was, and nothing comes in.
 * @param isLost a person says that the server lost what is missing there
 */
export async function sweepSent(run: RunContext, lease: Lease, isLost: boolean): Promise<void> {
  const { connection } = run;
  const out = Object.keys(connection.types).filter((type) => pushes(connection, type));
  const types = Object.fromEntries(out.map((type) => [type, 'push' as const]));
  const sending = { ...run, fence: lease.fence, epoch: await currentEpoch(run), connection: { ...connection, types } };
  if (isLost) await sweepTypes(sending, [], lease, true);
  await sweepLeft(sending, [], lease);
  await runProbes(sending, lease);
}

/** Their word holds until everything was compared, whatever fails or ends in between. */
async function sweepLost(run: RunContext, types: readonly string[], lease: Lease): Promise<string[]> {
  const { store, connection, runId } = run;
  const keep = (left: readonly string[]) => {
    const next =
      left.length === 0
        ? forgetFact(connection.name, LOST_DUE)
        : saveFact(connection.name, LOST_DUE, left.join(' '), realNow(run));
    return store.commit(actorOf(connection, runId), [], [next, lease.fence]);
  };
  const known = types.filter((type) => connection.types[type] !== undefined);
  await keep(known);
  const left = await sweepAll(run, known, lease, true);
  await keep(left);
  return left;
}

/** Sweeps when the server was wiped or restored; of what could not be compared then, and no other, it is tried again each hour. */
async function sweepReplaced(run: RunContext, types: readonly string[], lease: Lease): Promise<void> {
  const { store, connection, runId } = run;
  const due = await readFact(store, connection.name, SWEEP_DUE);
  if (!due || realNow(run) < due.at + HOUR) return;
  const again = due.value.split(' ').filter((type) => connection.types[type] !== undefined);
  const left = due.value === '' ? await sweepTypes(run, types, lease) : await sweepAll(run, again, lease, false);
  const next =
    left.length === 0
      ? forgetFact(connection.name, SWEEP_DUE)
      : saveFact(connection.name, SWEEP_DUE, left.join(' '), realNow(run));
  await store.commit(actorOf(connection, runId), [], [next, lease.fence]);
}

/**
 * @param types that are pulled; what only goes out is looked at, too, where the server may have lost some of it
 * @param isLost a person says that the server lost what is missing there
 * @returns what could not be compared
 */
export async function sweepTypes(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  isLost = false,
): Promise<string[]> {
  const { connection, store } = run;
  const sent = Object.keys(connection.types).filter((type) => pushes(connection, type) && !types.includes(type));
  if (isLost) return sweepLost(run, [...types, ...sent], lease);
  const unseen = sent.length === 0 ? new Set(sent) : await unseenTypes(store, connection.name);
  return sweepAll(run, [...types, ...sent.filter((one) => unseen.has(one))], lease, false);
}

async function sweepAll(run: RunContext, types: readonly string[], lease: Lease, isLost: boolean): Promise<string[]> {
  const first = await sweepEach(run, types, lease, isLost, false);
  const second = await sweepEach(run, first.putOff, lease, isLost, true);
  return [...first.left, ...second.left];
}

interface Swept {
  /** Those that could not be compared. */
  readonly left: readonly string[];
  /** Those to look at when the others have been. */
  readonly putOff: readonly string[];
}

async function sweepEach(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  isLost: boolean,
  isLast: boolean,
): Promise<Swept> {
  const putOff: string[] = [];
  const left: string[] = [];
  for (const [index, type] of types.entries()) {
    if (run.signal.aborted || run.remote.breaker.status.state !== 'closed') {
      return { left: [...left, ...putOff, ...types.slice(index)], putOff: [] };
    }
    const { outcome, applied, missing } = await sweepType(run, type, lease, { isLost, isLast });
    run.log.info({ connection: run.connection.name, type, outcome, applied, missing }, 'swept');
    if (outcome === 'put-off') putOff.push(type);
    if (outcome === 'incomplete') left.push(type);
  }
  return { left, putOff };
}

export async function finishPull(run: RunContext, lease: Lease): Promise<void> {
  await runProbes(run, lease);
  await repoint(run);
  await noteClock(run);
}
