// What happens here in worlds of random merges.
import { pick } from './acts.ts';
import { MOST_PAPERS } from './merge-acts-there.ts';
import { edited, joined, paperAbout, patientOf } from './merge-words.ts';
import { chance, type MergeDays, note, PERSONS, papersHere, patientsHere } from './merge-world.ts';
import { isClosed, type Kept } from './people.ts';

export async function patientHere(days: MergeDays): Promise<void> {
  const person = pick(days.random, PERSONS) ?? '';
  const known = (await patientsHere(days)).filter(({ id }) => days.people.ofRecord('here', id) === person);
  if (known.length > 1 || (known.length > 0 && chance(days, 0.7))) return;
  const id = `p${++days.made}`;
  days.people.isRecordOf('here', id, person);
  note(days, `${id} is ${person}`);
  await days.world.write(patientOf(days, id, person));
}

export async function paperHere(days: MergeDays): Promise<void> {
  const open = (await patientsHere(days)).filter((one) => !isClosed(one));
  const paper = (await papersHere(days)).length < MOST_PAPERS ? paperAbout(days, 'here', open) : undefined;
  if (paper) await days.world.write(paper);
}

export async function editHere(days: MergeDays): Promise<void> {
  const open = (await patientsHere(days)).filter((one) => !isClosed(one));
  const chosen = pick<Kept>(days.random, [...open, ...(await papersHere(days))]);
  const next = chosen && edited(days, 'here', chosen);
  if (next) await days.world.write(next);
}

export async function joinHere(days: MergeDays): Promise<void> {
  const next = joined(days, 'here', await papersHere(days), await patientsHere(days));
  if (next) await days.world.write(next);
}
