// The world of random merges: people with records and papers here and at two servers, and what may never be so in it.
import type { Patient } from '@medplum/fhirtypes';
import { type Kept, LOOKS, namesIn, type Paper, type People, type Person } from './people.ts';
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
  /** Whether all patients of the servers come in. */
  readonly takesAll: Readonly<Record<ServerName, boolean>>;
  /** Whom a server or a person has ever merged. */
  readonly merged: Set<Person>;
  /** Keys of papers, and persons, of whom a second copy may be made, because one was gone for a while. */
  readonly mayRepeat: Set<string>;
  readonly isTold: boolean;
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
  for (const name of SERVERS) sayWhoIsGone(days, name);
  // Those there first: references here may name them.
  const there = SERVERS.map((name) => [name, patientsAt(days, name), papersAt(days, name)] as const);
  const here = ['here', await patientsHere(days), await papersHere(days)] as const;
  for (const [place, patients] of [...there, here]) people.mixed(place, patients, []);
  return [...there, here].flatMap(([place, patients, papers]) => people.mixed(place, patients, papers));
}

function sayWhoIsGone(days: MergeDays, name: ServerName): void {
  const { failing, removed } = days.world.remotes[name];
  for (const paper of papersAt(days, name)) {
    for (const { reference } of namesIn(paper)) {
      const id = /^Patient\/([^/]+)$/.exec(reference ?? '')?.[1];
      const isGone = failing.get(`Patient/${id}`) === 410 || removed.has(`Patient/${id}`);
      if (id !== undefined && isGone) days.people.saidToBeGone(name, id, paper);
    }
  }
}
