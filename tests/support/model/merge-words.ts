// What is written in worlds of random merges: records and papers, and edits of them.
import type { Account, Appointment, Patient, Task } from '@medplum/fhirtypes';
import { pick } from './acts.ts';
import type { Place } from './edits.ts';
import { chance, type MergeDays, note, PAPERS } from './merge-world.ts';
import { isClosed, type Kept, keyOf, LOOKS, namesIn, type Paper, type Person } from './people.ts';

export function patientOf(days: MergeDays, id: string, person: Person): Kept<Patient> {
  const numbered = chance(days, 0.7) ? { identifier: [{ system: 'urn:mrn', value: person }] } : {};
  const mistyped = chance(days, 0.15) ? { birthDate: '1905-05-05' } : {};
  const maritalStatus = { text: days.people.write([person]) };
  return { resourceType: 'Patient', id, ...LOOKS[person], ...mistyped, ...numbered, maritalStatus };
}

/** A new paper about some patients of a place; a task about one only. */
export function paperAbout(days: MergeDays, place: Place, patients: readonly Kept<Patient>[]): Kept<Paper> | undefined {
  const chosen = [...new Set([0, 1].flatMap(() => pick(days.random, patients) ?? []))];
  const [first] = chosen;
  if (!first) return undefined;
  const type = pick(days.random, PAPERS) ?? 'Task';
  const about = type === 'Task' ? [first] : chosen;
  const key = `k${++days.made}`;
  const word = days.people.write(about.flatMap(({ id }) => days.people.ofRecord(place, id) ?? []));
  const named = about.map(({ id }) => ({ reference: `Patient/${id}` }));
  note(days, `${type} ${key} at ${place} says ${word} about ${named.map(({ reference }) => reference).join()}`);
  const id = `${place}-${key}`;
  if (type === 'Account') {
    return { resourceType: type, id, status: 'active', name: key, description: word, subject: named };
  }
  if (type === 'Appointment') {
    const participant = named.map((actor) => ({ actor, status: 'accepted' as const }));
    return { resourceType: type, id, status: 'proposed', description: key, comment: word, participant };
  }
  const groupIdentifier = { system: 'urn:key', value: key };
  const [subject] = named;
  const task: Kept<Task> = {
    resourceType: type,
    id,
    status: 'requested',
    intent: 'order',
    groupIdentifier,
    description: word,
  };
  return subject ? { ...task, for: subject } : undefined;
}

export function edited(days: MergeDays, place: Place, one: Kept): Kept | undefined {
  const person = one.resourceType === 'Patient' ? days.people.ofRecord(place, one.id) : undefined;
  const about = one.resourceType === 'Patient' ? (person ? [person] : []) : days.people.about(place, one);
  if (about.length === 0) return undefined;
  const word = days.people.write(about);
  note(days, `${place} ${one.resourceType} ${one.id} ${keyOf(one)} says ${word}`);
  switch (one.resourceType) {
    case 'Patient':
      return { ...one, maritalStatus: { text: word } };
    case 'Task':
      return chance(days, 0.5)
        ? { ...one, note: [...(one.note ?? []), { time: '2026-11-24T12:00:00Z', text: word }] }
        : { ...one, description: word };
    case 'Appointment':
      return { ...one, comment: word };
    default:
      return { ...one, description: word };
  }
}

export const names = (paper: Paper, id: string) =>
  namesIn(paper).some(({ reference }) => reference === `Patient/${id}`);

export function renamed(paper: Kept<Paper>, from: string, to: string): Kept<Paper> {
  return JSON.parse(JSON.stringify(paper).replaceAll(`"Patient/${from}"`, `"Patient/${to}"`));
}

/** One patient more, or one less. */
export function joined(
  days: MergeDays,
  place: Place,
  papers: readonly Kept<Paper>[],
  patients: readonly Kept<Patient>[],
) {
  const { people, random } = days;
  const paper = pick(
    random,
    papers.filter(({ resourceType }) => resourceType !== 'Task'),
  ) as Kept<Appointment | Account>;
  const open = patients.filter((one) => !isClosed(one));
  const other = pick(random, open);
  if (!paper || !other) return undefined;
  const reference = `Patient/${other.id}`;
  const isIn = names(paper, other.id);
  // Nobody may be named twice, and somebody has to be.
  if (isIn && namesIn(paper).every((one) => one.reference === reference)) return undefined;
  const person = people.ofRecord(place, other.id);
  if (!isIn && person) people.join(keyOf(paper), person);
  note(days, `${place} ${keyOf(paper)} ${isIn ? 'without' : 'with'} ${other.id} (${person})`);
  if (paper.resourceType === 'Account') {
    const { subject = [] } = paper;
    const rest = subject.filter((one) => one.reference !== reference);
    return { ...paper, subject: isIn ? rest : [...subject, { reference }] };
  }
  const rest = paper.participant.filter(({ actor }) => actor?.reference !== reference);
  const next = { actor: { reference }, status: 'accepted' as const };
  return { ...paper, participant: isIn ? rest : [...paper.participant, next] };
}
