// Somebody changed a follow-up, here or at another system: what has ended is settled, and what goes on has its clock set by
// what was changed.

import type { Task } from '@medplum/fhirtypes';
import { parseVersion, readResource } from '../care/stored.ts';
import { touched } from '../care/touched.ts';
import { encounterOfEpisode, isLive } from '../care/transition/episode.ts';
import { isEscalation } from '../care/transition/escalation.ts';
import { type FollowUpKey, followUpKey, formatKey } from '../care/transition/follow-up.ts';
import { withLostSchedule } from '../care/transition/lost-schedule.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { LogEntry } from '../store/store.ts';
import { readAims, readFollowUps } from './live-plan.ts';
import { ACTOR, type Parts } from './parts.ts';
import { NOTHING, type Reaction } from './reaction.ts';
import { planSettlement } from './settle.ts';
import { planUpkeep } from './upkeep.ts';

export async function reactToTask(parts: Parts, entry: LogEntry): Promise<Reaction> {
  const before = await followUpBefore(parts, entry);
  if (entry.operation === 'delete') {
    const deleted = before && followUpKey(before);
    return deleted ? settle(parts, deleted) : NOTHING;
  }
  const restored = before && (await restore(parts, entry, before));
  if (restored) return restored;
  const task = parseVersion(entry, 'Task');
  const key = followUpKey(task);
  if (!key) return NOTHING;
  if (isTerminal(task.status)) return settle(parts, key);
  if (entry.actor === ACTOR.reference || isEscalation(key)) return NOTHING;
  return keepUp(parts, task);
}

/** What somebody changed; Baton's own versions have their clock right. */
async function followUpBefore({ store }: Parts, { id, versionId, actor }: LogEntry): Promise<Task | undefined> {
  if (actor === ACTOR.reference || versionId === '1') return undefined;
  const version = await store.vread('Task', id, String(Number(versionId) - 1));
  if (!version || version.operation === 'delete') return undefined;
  const task = parseVersion(version, 'Task');
  return followUpKey(task) && task;
}

/** What was lost by the entry is put back into the Task as it is now; what else was changed counts. */
async function restore(parts: Parts, entry: LogEntry, before: Task): Promise<Reaction | undefined> {
  const seen = parseVersion(entry, 'Task');
  if (!withLostSchedule(seen, before)) return undefined;
  const { id } = entry;
  const task = await readResource(parts.store, 'Task', id);
  if (!task) return undefined;
  // Another plan may have taken it over since: that is no loss.
  const hasKey = keyOf(seen) === keyOf(before);
  const whole = withLostSchedule(task, hasKey ? { ...before, identifier: task.identifier ?? [] } : before);
  if (!whole) return undefined;
  const key = followUpKey(whole);
  const upkeep = isTerminal(whole.status) || !key || isEscalation(key) ? [] : await planUpkeep(parts, whole);
  const isIncluded = upkeep.some((change) => change.op === 'update' && change.resource.id === id);
  const update = { op: 'update' as const, resource: touched(whole, parts.clock.now()), ifMatch: whole.meta?.versionId };
  return { changes: isIncluded ? upkeep : [update, ...upkeep], events: () => [] };
}

function keyOf(task: Task): string | undefined {
  const key = followUpKey(task);
  return key && formatKey(key);
}

async function settle(parts: Parts, key: FollowUpKey): Promise<Reaction> {
  const episode = await readResource(parts.store, 'EpisodeOfCare', key.episode);
  if (!episode || !isLive(episode)) return NOTHING;
  const { store, facilities, clock } = parts;
  const [plan, { zone }] = await Promise.all([
    readFollowUps(store, episode),
    facilities.placeOf(episode.managingOrganization),
  ]);
  const { changes, closes } = await planSettlement(plan, readAims.bind(undefined, store), zone, clock.now());
  const encounter = encounterOfEpisode(episode) ?? '';
  return {
    changes,
    events: () => (closes ? [{ kind: 'transition-completed', episode: key.episode, encounter }] : []),
  };
}

async function keepUp(parts: Parts, seen: Task): Promise<Reaction> {
  const task = await readResource(parts.store, 'Task', seen.id);
  // A later version has an entry of its own.
  if (!task || task.meta?.versionId !== seen.meta?.versionId) return NOTHING;
  return { changes: await planUpkeep(parts, task), events: () => [] };
}
