// Who was in scope and is no more may have been merged there into somebody who is. Some servers tell of that only to whoever reads
// the old record, which no stream brings any more, so it is read once. Of who is new in scope, or back, the streams have passed by
// what the server has had until now, so that is asked for. docs/sync-spec.md#I8
import type { Lease } from '../../store/lease.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { readLinkMarks } from '../identity.ts';
import { runProbes, startProbes } from './delete-probe.ts';
import { readFact, saveFact } from './remote-fact.ts';
import { startCatchUp } from './to-catch-up.ts';

const FACT = 'patients-in-scope';
const CHUNK = 500;

/** Before the streams bring what has moved to somebody else. @param context with the scope of this pull */
export async function followScope(context: RunContext, lease: Lease): Promise<void> {
  const { store, connection, runId, scope } = context;
  if (!scope || connection.types.Patient === undefined || connection.types.Patient === 'push') return;
  const known = await readFact(store, connection.name, FACT);
  const now = [...scope].sort().join(' ');
  if (known?.value === now) return;
  const before = new Set((known?.value ?? '').split(' ').filter((id) => id !== ''));
  const left = await linkedAmong(
    context,
    [...before].filter((id) => !scope.has(id)),
  );
  // At first the streams begin with everything.
  const joined = known ? [...scope].filter((id) => !before.has(id)) : [];
  await startProbes(context, 'Patient', left, lease);
  await askForAll(context, joined, lease);
  await store.commit(
    actorOf(connection, runId),
    [],
    [saveFact(connection.name, FACT, now, realNow(context)), lease.fence],
  );
  if (left.length > 0) await runProbes(context, lease);
}

async function askForAll(context: RunContext, patients: readonly string[], lease: Lease): Promise<void> {
  const { store, connection, runId } = context;
  for (let start = 0; start < patients.length; start += CHUNK) {
    const asked = patients
      .slice(start, start + CHUNK)
      .map((patient) => startCatchUp(connection.name, patient, realNow(context)));
    await store.commit(actorOf(connection, runId), [], [...asked, lease.fence]);
  }
}

async function linkedAmong({ store, connection }: RunContext, ids: readonly string[]): Promise<string[]> {
  const linked: string[] = [];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const marks = await readLinkMarks(store, connection.name, 'Patient', ids.slice(start, start + CHUNK));
    linked.push(...marks.keys());
  }
  return linked;
}
