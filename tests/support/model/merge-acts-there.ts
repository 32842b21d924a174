// What servers do to records and papers in worlds of random merges, but for who is who.
import type { Task } from '@medplum/fhirtypes';
import { pick } from './acts.ts';
import { edited, joined, paperAbout, patientOf } from './merge-words.ts';
import { chance, type MergeDays, note, PERSONS, papersAt, patientsAt, server } from './merge-world.ts';
import { isClosed, type Kept, keyOf, wordsIn } from './people.ts';
import type { ServerName } from './two-servers.ts';

/** Enough for people to meet each other's records often. */
const MOST_RECORDS = 12;
export const MOST_PAPERS = 16;

export function patientThere(days: MergeDays): void {
  const name = server(days);
  const person = pick(days.random, PERSONS) ?? '';
  if (patientsAt(days, name).length >= MOST_RECORDS) return;
  const id = `r${++days.made}`;
  days.people.isRecordOf(name, id, person);
  note(days, `${id} at ${name} is ${person}`);
  days.world.remotes[name].put(patientOf(days, id, person));
}

export function paperThere(days: MergeDays): void {
  const name = server(days);
  // Late words about records that are not used any more are written now and then.
  const some = patientsAt(days, name).filter((one) => !isClosed(one) || chance(days, 0.2));
  const paper = papersAt(days, name).length < MOST_PAPERS ? paperAbout(days, name, some) : undefined;
  if (paper) days.world.remotes[name].put(paper);
}

export function editThere(days: MergeDays): void {
  const name = server(days);
  const open = patientsAt(days, name).filter((one) => !isClosed(one));
  const chosen = pick<Kept>(days.random, [...open, ...papersAt(days, name)]);
  const next = chosen && edited(days, name, chosen);
  if (next) days.world.remotes[name].put(next);
}

export function joinThere(days: MergeDays): void {
  const name = server(days);
  const next = joined(days, name, papersAt(days, name), patientsAt(days, name));
  if (next) days.world.remotes[name].put(next);
}

/** The server says that a task was entered under the wrong name. */
export function moveThere(days: MergeDays): void {
  const { people, random } = days;
  const name = server(days);
  const task = pick(
    random,
    papersAt(days, name).filter(({ resourceType }) => resourceType === 'Task'),
  ) as Kept<Task>;
  const to = pick(
    random,
    patientsAt(days, name).filter((one) => !isClosed(one)),
  );
  const person = to && people.ofRecord(name, to.id);
  if (!task || !person) return;
  people.alsoAbout(wordsIn(task), [person]);
  note(days, `${name} ${keyOf(task)} to ${to.id} (${person})`);
  days.world.remotes[name].put({ ...task, for: { reference: `Patient/${to.id}` } });
}

export function deleteThere(days: MergeDays): void {
  const name = server(days);
  const chosen = pick<Kept>(days.random, [...patientsAt(days, name), ...papersAt(days, name)]);
  if (!chosen) return;
  repeatable(days, name, chosen);
  note(days, `${name} ${chosen.resourceType}/${chosen.id} ${keyOf(chosen)}`);
  days.world.remotes[name].remove(chosen.resourceType, chosen.id);
}

function repeatable({ mayRepeat, people }: MergeDays, place: ServerName, one: Kept): void {
  mayRepeat.add(one.resourceType === 'Patient' ? (people.ofRecord(place, one.id) ?? '') : keyOf(one));
}

export function failThere(days: MergeDays): void {
  const name = server(days);
  const chosen = pick<Kept>(days.random, [...patientsAt(days, name), ...papersAt(days, name)]);
  const status = chance(days, 0.5) ? 500 : 410;
  if (!chosen) return;
  if (status === 410) repeatable(days, name, chosen);
  note(days, `${name} ${chosen.resourceType}/${chosen.id} answers ${status}`);
  days.world.remotes[name].failing.set(`${chosen.resourceType}/${chosen.id}`, status);
}

export function workAgain(days: MergeDays): void {
  const { failing } = days.world.remotes[server(days)];
  const chosen = pick(days.random, [...failing.keys()]);
  if (chosen !== undefined) failing.delete(chosen);
}

export function late(days: MergeDays): void {
  const remote = days.world.remotes[server(days)];
  // Within what the vendor file allows for; beyond it no client could know.
  remote.lateness = remote.lateness === 0 ? 8_000 : 0;
}

export function backup(days: MergeDays): void {
  const name = server(days);
  days.backups[name] = days.world.remotes[name].backup();
  note(days, name);
}

/** The server goes back to its backup: what it lost may come back. */
export async function restore(days: MergeDays): Promise<void> {
  const { world, backups } = days;
  const name = server(days);
  const before = [...patientsAt(days, name), ...papersAt(days, name)];
  if (days.reusesIds || !backups[name]) return;
  backups[name]();
  note(days, name);
  const after = [...patientsAt(days, name), ...papersAt(days, name)];
  for (const one of before) if (!after.some(({ id }) => id === one.id)) repeatable(days, name, one);
  for (const one of after) if (!before.some(({ id }) => id === one.id)) repeatable(days, name, one);
  const nothing = 'high_water = NULL, cursor = NULL, window_start = NULL, window_max = NULL';
  const rewind = { sql: `UPDATE checkpoint SET ${nothing} WHERE connection = ?`, params: [name] };
  await world.store.commit({ reference: 'Device/operator', kind: 'service' }, [], [rewind]);
}
