// A contact or an attempt at one was told of a follow-up, or taken back: it counts, and earns credit, through whatever door
// it came.
import type { Communication } from '@medplum/fhirtypes';
import { contactsIn, namesStaff } from '../care/contacts/counted-contact.ts';
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
  const changes: Change[] = [];
  for (const id of tasksOf(communication)) changes.push(...(await recount(parts, id, communication)));
  return { changes, events: () => [] };
}

/** Of a contact that an application logged somebody of the staff is named afterwards: it counts from then on. */
export async function reactToProvenance(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (!isOfContact(entry)) return NOTHING;
  const provenance = parseVersion(entry, 'Provenance');
  // Not those that Baton keeps of every version.
  if (!namesStaff(provenance)) return NOTHING;
  const changes: Change[] = [];
  for (const reference of new Set(contactsIn(provenance))) {
    const told = await readResource(parts.store, 'Communication', idOf({ reference }, 'Communication'));
    for (const id of told ? tasksOf(told) : []) changes.push(...(await recount(parts, id, told as Communication)));
  }
  return { changes, events: () => [] };
}

/** Told without reading it: there is one for every commit. */
export const isOfContact = ({ operation, content }: LogEntry): boolean =>
  operation !== 'delete' && content.includes('Communication/');

const tasksOf = ({ basedOn = [] }: Communication) =>
  new Set(basedOn.flatMap((reference) => idOf(reference, 'Task') ?? []));

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
