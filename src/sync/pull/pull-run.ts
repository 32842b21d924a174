// What comes before and after the types of one pull: what changed about the server itself, whose records flow, and what was
// left open. docs/sync-spec.md#I5 docs/sync-spec.md#I29
import type { Lease } from '../../store/lease.ts';
import { noteCapability } from '../connections/note-capability.ts';
import { noteClock } from '../connections/note-clock.ts';
import { pushes } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { repoint } from '../repoint.ts';
import { unseenTypes } from '../unseen.ts';
import { runProbes } from './delete-probe.ts';
import { currentEpoch } from './epoch.ts';
import { probeWhoLeft } from './left-scope.ts';
import { patientsInScope } from './patient-scope.ts';
import { sweepType } from './sweep.ts';

export interface Prepared {
  /** Undefined when nothing can be pulled, because whose records flow cannot be found out. */
  readonly pulling: RunContext | undefined;
  /** The server was wiped or restored since the last pull. */
  readonly isNewServer: boolean;
}

export async function preparePull(run: RunContext, lease: Lease): Promise<Prepared> {
  await noteCapability(run);
  const { epoch, isNew } = await currentEpoch(run);
  const scope = await patientsInScope(run);
  if (scope.ok) {
    const pulling = { ...run, fence: lease.fence, epoch, scope: scope.value };
    await probeWhoLeft(pulling, lease);
    return { pulling, isNewServer: isNew };
  }
  run.log.warn(
    { connection: run.connection.name, class: scope.failure.class },
    'the patients in scope are unknown; nothing is pulled',
  );
  return { pulling: undefined, isNewServer: isNew };
}

/**
 * @param types that are pulled; what only goes out is looked at, too, where the server may have lost some of it
 * @param isLost a person says that the server lost what is missing there
 */
export async function sweepTypes(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  isLost = false,
): Promise<void> {
  const { connection, store } = run;
  const sent = Object.keys(connection.types).filter((type) => pushes(connection, type) && !types.includes(type));
  const unseen = isLost || sent.length === 0 ? new Set(sent) : await unseenTypes(store, connection.name);
  const putOff = await sweepEach(run, [...types, ...sent.filter((one) => unseen.has(one))], lease, isLost, false);
  if (putOff.length > 0) await sweepEach(run, putOff, lease, isLost, true);
}

/** @returns those to look at when the others have been */
async function sweepEach(
  run: RunContext,
  types: readonly string[],
  lease: Lease,
  isLost: boolean,
  isLast: boolean,
): Promise<string[]> {
  const putOff: string[] = [];
  for (const type of types) {
    if (run.signal.aborted || run.remote.breaker.status.state !== 'closed') return [];
    const { outcome, applied, missing } = await sweepType(run, type, lease, { isLost, isLast });
    run.log.info({ connection: run.connection.name, type, outcome, applied, missing }, 'swept');
    if (outcome === 'put-off') putOff.push(type);
  }
  return putOff;
}

export async function finishPull(run: RunContext, lease: Lease): Promise<void> {
  await runProbes(run, lease);
  await repoint(run);
  await noteClock(run);
}
