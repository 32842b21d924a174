// A contact or an attempt at one was told of a follow-up, or taken back: it counts, and earns credit, through whatever door
// it came.
import type { Communication } from '@medplum/fhirtypes';
import { idOf, parseVersion, readResource } from '../care/stored.ts';
import { dischargeOf } from '../care/transition/episode.ts';
import { followUpKey } from '../care/transition/follow-up.ts';
import { stageOf } from '../care/transition/life.ts';
import type { Change } from '../fhir/change.ts';
import type { LogEntry } from '../store/store.ts';
import type { Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { recounted, settleEscalations } from './upkeep.ts';

export async function reactToCommunication(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete') return NOTHING;
  const communication = parseVersion(entry, 'Communication');
  const tasks = (communication.basedOn ?? []).flatMap((reference) => idOf(reference, 'Task') ?? []);
  const changes: Change[] = [];
  for (const id of new Set(tasks)) changes.push(...(await recount(parts, id, communication)));
  return { changes, events: () => [] };
}

async function recount(parts: Parts, id: string, told: Communication): Promise<Change[]> {
  const task = await readResource(parts.store, 'Task', id);
  const key = task && followUpKey(task);
  if (!key || task.for?.reference !== told.subject?.reference) return [];
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  const discharged = episode && dischargeOf(episode);
  if (!discharged) return [];
  const { zone } = await parts.facilities.placeOf(episode.managingOrganization);
  const next = await recounted(parts, task, discharged, zone);
  const isCredited = stageOf(next ?? task) === 'credited';
  const settled = isCredited ? await settleEscalations(parts, key, parts.clock.now()) : [];
  return next ? [{ op: 'update', resource: next, ifMatch: task.meta?.versionId }, ...settled] : settled;
}
