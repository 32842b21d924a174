// The world of random merges: people with records and papers here and at two servers, and what may never be so in it.
import type { Patient } from '@medplum/fhirtypes';
import { type Kept, LOOKS, namesIn, type Paper, type People, type Person, wordsIn } from './people.ts';
import { SERVERS, type ServerName, type TwoServers } from './two-servers.ts';

export const PAPERS = ['Task', 'Appointment', 'Account'] as const;

export const PERSONS = Object.keys(LOOKS);

export const MINUTE = 60_000;

export const DAY = 24 * 60 * MINUTE;

export interface MergeDays {
  readonly world: TwoServers;
  readonly random: () => number;
  readonly people: People;
  readonly story: string[];
  /** Servers merge, and persons answer, as it is; otherwise they err now and then. */
  readonly isRight: boolean;
  /** Servers give ids to somebody else, which FHIR forbids; otherwise they are put back from backups now and then. */
  readonly reusesIds: boolean;
  /** Whether all patients of the servers come in. */
  readonly takesAll: Readonly<Record<ServerName, boolean>>;
  /** Whom a server or a person has ever merged. */
  readonly merged: Set<Person>;
  /** Keys of papers, and persons, of whom a second copy may be made, because one was gone for a while. */
  readonly mayRepeat: Set<string>;
  readonly isTold: boolean;
  /** What puts a server back to what it was. */
  readonly backups: Partial<Record<ServerName, () => void>>;
  made: number;
  merges: number;
  answers: number;
  crashes: number;
}

export const server = ({ random }: MergeDays): ServerName => (random() < 0.5 ? 'a' : 'b');

export const note = (days: MergeDays, text: string): void => void days.story.push(`    ${text}`);

export const chance = ({ random }: MergeDays, of: number) => random() < of;

async function allHere<T extends Patient | Paper>({ world }: MergeDays, type: string): Promise<Kept<T>[]> {
  const sql = "SELECT content FROM resource WHERE type = ? AND content <> '' ORDER BY rid";
  return (await world.store.query(sql, [type])).map(({ content }) => JSON.parse(String(content)));
}

export const patientsHere = (days: MergeDays) => allHere<Patient>(days, 'Patient');

export async function papersHere(days: MergeDays): Promise<Kept<Paper>[]> {
  const found: Kept<Paper>[] = [];
  for (const type of PAPERS) found.push(...(await allHere<Paper>(days, type)));
  return found;
}

export const patientsAt = ({ world }: MergeDays, name: ServerName) =>
  world.remotes[name].all('Patient') as Kept<Patient>[];

export const papersAt = ({ world }: MergeDays, name: ServerName) =>
  PAPERS.flatMap((type) => world.remotes[name].all(type) as Kept<Paper>[]);

export async function mixed(days: MergeDays): Promise<string[]> {
  const { people } = days;
  for (const name of SERVERS) await sayWhoIsGone(days, name);
  // Those there first: references here may name them.
  const there = SERVERS.map((name) => [name, patientsAt(days, name), papersAt(days, name)] as const);
  const here = ['here', await patientsHere(days), await papersHere(days)] as const;
  for (const [place, patients] of [...there, here]) people.mixed(place, patients, []);
  return [...there, here].flatMap(([place, patients, papers]) => people.mixed(place, patients, papers));
}

async function sayWhoIsGone(days: MergeDays, name: ServerName): Promise<void> {
  const { people } = days;
  const taken = await takenForFormer(days, name);
  for (const paper of papersAt(days, name)) {
    for (const { reference } of namesIn(paper)) {
      const id = /^Patient\/([^/]+)$/.exec(reference ?? '')?.[1];
      if (id === undefined || !isGone(days, name, id)) continue;
      people.saidToBeGone(name, id, paper);
      const former = taken.get(id);
      if (former !== undefined) people.alsoAbout(wordsIn(paper), [former]);
    }
  }
}

function isGone({ world }: MergeDays, name: ServerName, id: string): boolean {
  const { failing, removed } = world.remotes[name];
  return failing.get(`Patient/${id}`) === 410 || removed.has(`Patient/${id}`);
}

/**
 * By id: for whom Baton must take records that the server has given to somebody else, and says are gone, before Baton could have
 * seen them with the new one. A paper that names one is about whoever it was known to be of: nothing that the server shows
 * says otherwise.
 */
export async function takenForFormer(days: MergeDays, name: ServerName): Promise<Map<string, Person>> {
  const { world, people } = days;
  const sql = "SELECT remote_id, local_id FROM identity WHERE connection = ? AND type = 'Patient' ORDER BY at";
  const known = new Map<string, Person[]>();
  for (const { remote_id, local_id } of await world.store.query(sql, [name])) {
    // Of a stranger's record, which was merged, nothing is known but that.
    const person =
      local_id === '' ? people.formerOf(name, String(remote_id)) : people.ofRecord('here', String(local_id));
    if (person !== undefined) known.set(String(remote_id), [...(known.get(String(remote_id)) ?? []), person]);
  }
  const shown = await askedAbout(days, name);
  const isUnheard = (id: string, persons: readonly Person[]) =>
    ![...persons, ...(shown.get(id) ?? [])].some((one) => people.areOne(one, people.ofRecord(name, id) ?? ''));
  const former = [...known].filter(([id, persons]) => isGone(days, name, id) && isUnheard(id, persons));
  return new Map(former.map(([id, persons]) => [id, persons.at(-1) ?? '']));
}

/** By id: whom records were shown with when a person was asked whose they are. */
async function askedAbout({ world }: MergeDays, name: ServerName): Promise<Map<string, Person[]>> {
  const sql = `SELECT remote_id, remote_body FROM conflict WHERE connection = ? AND type = 'Patient'
    AND kind IN ('identity', 'duplicate') AND remote_body IS NOT NULL`;
  const shown = new Map<string, Person[]>();
  for (const { remote_id, remote_body } of await world.store.query(sql, [name])) {
    const person = (JSON.parse(String(remote_body)) as Patient).name?.[0]?.given?.[0];
    if (person !== undefined) shown.set(String(remote_id), [...(shown.get(String(remote_id)) ?? []), person]);
  }
  return shown;
}
