// Who was in scope and is no more may have been merged there into somebody who is. Some servers tell of that only to whoever reads
// the old record, which no stream brings any more, so it is read once. docs/sync-spec.md#I8
import type { Lease } from '../../store/lease.ts';
import { actorOf } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { readLinkMarks } from '../identity.ts';
import { runProbes, startProbes } from './delete-probe.ts';
import { readFact, saveFact } from './remote-fact.ts';

const FACT = 'patients-in-scope';
const CHUNK = 500;

/** Before the streams bring what has moved to somebody else. @param context with the scope of this pull */
export async function probeWhoLeft(context: RunContext, lease: Lease): Promise<void> {
  const { store, connection, runId, scope } = context;
  if (!scope || connection.types.Patient === undefined || connection.types.Patient === 'push') return;
  const known = await readFact(store, connection.name, FACT);
  const now = [...scope].sort().join(' ');
  if (known?.value === now) return;
  const left = (known?.value ?? '').split(' ').filter((id) => id !== '' && !scope.has(id));
  const linked = await linkedAmong(context, left);
  await startProbes(context, 'Patient', linked, lease);
  await store.commit(
    actorOf(connection, runId),
    [],
    [saveFact(connection.name, FACT, now, realNow(context)), lease.fence],
  );
  if (linked.length > 0) await runProbes(context, lease);
}

async function linkedAmong({ store, connection }: RunContext, ids: readonly string[]): Promise<string[]> {
  const linked: string[] = [];
  for (let start = 0; start < ids.length; start += CHUNK) {
    const marks = await readLinkMarks(store, connection.name, 'Patient', ids.slice(start, start + CHUNK));
    linked.push(...marks.keys());
  }
  return linked;
}
