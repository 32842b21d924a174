// Who is really who, and about whom each word was written: what Baton cannot know and must never get wrong. Knows nothing of
// links or of how Baton finds out.
import type { Account, Appointment, Patient, Resource, Task } from '@medplum/fhirtypes';
import type { Place } from './edits.ts';

/** The given name of somebody. */
export type Person = string;
/** What may be about people. */
export type Paper = Task | Appointment | Account;
export type Kept<T extends Resource = Patient | Paper> = T & { id: string };

/** Two pairs are alike enough to be asked about. */
export const LOOKS: Readonly<Record<Person, Pick<Patient, 'birthDate' | 'gender' | 'name'>>> = {
  Ana: { name: [{ family: 'García', given: ['Ana'] }], birthDate: '1950-03-04', gender: 'female' },
  Anna: { name: [{ family: 'García', given: ['Anna'] }], birthDate: '1950-03-04', gender: 'female' },
  Eva: { name: [{ family: 'Novak', given: ['Eva'] }], birthDate: '1961-07-08', gender: 'female' },
  Evan: { name: [{ family: 'Novak', given: ['Evan'] }], birthDate: '1961-07-08', gender: 'female' },
  Zed: { name: [{ family: 'Quinn', given: ['Zed'] }], birthDate: '1933-03-03', gender: 'male' },
};

const OWN = 'https://baton.test/id';
const BASES: readonly (readonly [string, Place])[] = [
  ['http://a.test/fhir/', 'a'],
  ['http://b.test/fhir/', 'b'],
];

/** The same for all copies of one paper. */
export function keyOf(paper: Resource): string {
  if (paper.resourceType === 'Task') return paper.groupIdentifier?.value ?? '';
  if (paper.resourceType === 'Appointment') return paper.description ?? '';
  return paper.resourceType === 'Account' ? (paper.name ?? '') : '';
}

interface Naming {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: { readonly system?: string; readonly value?: string };
}

/** Whom it is about, as it is written. */
export function namesIn(paper: Paper): Naming[] {
  if (paper.resourceType === 'Task') return paper.for ? [paper.for] : [];
  if (paper.resourceType === 'Account') return paper.subject ?? [];
  // Two sides that each took out whom the other had left leave nobody.
  return (paper.participant ?? []).flatMap(({ actor }) => actor ?? []);
}

export function wordsIn({ meta: _meta, ...rest }: Resource): string[] {
  return JSON.stringify(rest).match(/\bw\d+\./g) ?? [];
}

export function isClosed(patient: Patient): boolean {
  return patient.active === false || (patient.link ?? []).some(({ type }) => type === 'replaced-by');
}

/** The id of the record that stands for it. */
export function standsFor(patient: Patient): string | undefined {
  return patient.link?.find(({ type }) => type === 'replaced-by')?.other.reference?.replace('Patient/', '');
}

export class People {
  /** By `place id` of a record. */
  readonly #persons = new Map<string, Person>();
  readonly #owners = new Map<string, Set<Person>>();
  readonly #saidToBe = new Map<Person, Person>();
  /** `place record word` where the server itself has put words about one person under the record of another. */
  readonly #excused = new Set<string>();
  /** By `place record key`: who had the record before, where a paper has named it since then. */
  readonly #before = new Map<string, Set<Person>>();
  /** By `place record`: who had it before whoever has it now. */
  readonly #former = new Map<string, Person>();
  /** By key. */
  readonly #joined = new Map<string, Set<Person>>();
  #count = 0;

  /** A server or a person has said that the two are one: from then on nobody can be blamed for taking them for it. */
  unite(one: Person, other: Person): void {
    const [first, second] = [this.rootOf(one), this.rootOf(other)];
    if (first !== second) this.#saidToBe.set(first, second);
  }

  areOne(one: Person, other: Person): boolean {
    return this.rootOf(one) === this.rootOf(other);
  }

  /** One of all who are said to be one. */
  rootOf(person: Person): Person {
    const said = this.#saidToBe.get(person);
    return said === undefined ? person : this.rootOf(said);
  }

  isRecordOf(place: Place, id: string, person: Person): void {
    this.#persons.set(`${place} ${id}`, person);
  }

  ofRecord(place: Place, id: string): Person | undefined {
    return this.#persons.get(`${place} ${id}`);
  }

  formerOf(place: Place, id: string): Person | undefined {
    return this.#former.get(`${place} ${id}`);
  }

  /** Whom a reference at a place means; undefined for nobody of these. */
  named(place: Place, { reference, type, identifier }: Naming): Person | undefined {
    if (reference === undefined) {
      const isOurs = type === 'Patient' && identifier?.system === OWN;
      return isOurs ? this.ofRecord('here', String(identifier.value)) : undefined;
    }
    const [base, at] = BASES.find(([url]) => reference.startsWith(url)) ?? ['', place];
    const id = /^Patient\/([^/]+)/.exec(reference.slice(base.length))?.[1];
    return id === undefined ? undefined : this.ofRecord(at, id);
  }

  about(place: Place, paper: Paper): Person[] {
    return namesIn(paper).flatMap((name) => this.named(place, name) ?? []);
  }

  /** A new word about somebody. */
  write(about: readonly Person[]): string {
    this.#count += 1;
    const word = `w${this.#count}.`;
    this.#owners.set(word, new Set(about));
    return word;
  }

  get count(): number {
    return this.#count;
  }

  /** Whoever answers for it says that all of it is about these, too. */
  alsoAbout(words: readonly string[], persons: readonly Person[]): void {
    for (const word of words) for (const person of persons) this.#owners.get(word)?.add(person);
  }

  /**
   * Somebody has come into a paper about several people: its words stay, whoever of them leaves it, also under the name of
   * whoever is said to be one with them.
   */
  join(key: string, person: Person): void {
    this.#joined.set(key, new Set(this.#joined.get(key)).add(person));
  }

  #isIn(key: string, person: Person): boolean {
    return [...(this.#joined.get(key) ?? [])].some((one) => this.areOne(one, person));
  }

  /**
   * The server gives a record to somebody else, and what it has about the one before names the wrong one: its own doing.
   * @param papers there that name it
   */
  handOver(place: Place, id: string, person: Person, papers: readonly Paper[]): void {
    const before = this.ofRecord(place, id);
    if (before !== undefined) this.#former.set(`${place} ${id}`, before);
    this.isRecordOf(place, id, person);
    for (const paper of papers) {
      const name = `${place} ${id} ${keyOf(paper)}`;
      if (before !== undefined) this.#before.set(name, new Set(this.#before.get(name)).add(before));
      for (const word of wordsIn(paper)) this.#excused.add(`${place} ${id} ${word}`);
    }
  }

  /**
   * The server says that nobody has a record: nobody can know then that it was given to somebody else, and what a paper that
   * named it before says may be about either.
   */
  saidToBeGone(place: Place, id: string, paper: Paper): void {
    const before = this.#before.get(`${place} ${id} ${keyOf(paper)}`);
    const now = this.ofRecord(place, id);
    if (before && now !== undefined) this.alsoAbout(wordsIn(paper), [...before, now]);
  }

  /** The server puts a paper under another record: what it had under the wrong one itself is about that one, too. */
  putUnder(place: Place, from: string, into: string, paper: Paper): void {
    const person = this.ofRecord(place, into);
    const words = wordsIn(paper).filter((word) => this.#excused.has(`${place} ${from} ${word}`));
    if (person !== undefined) this.alsoAbout(words, [person]);
  }

  #isAbout(word: string, person: Person): boolean {
    return [...(this.#owners.get(word) ?? [])].some((owner) => this.areOne(owner, person));
  }

  /** Sentences about what stands at a place under the wrong name. */
  mixed(place: Place, patients: readonly Kept<Patient>[], papers: readonly Kept<Paper>[]): string[] {
    const damage: string[] = [];
    for (const patient of patients) {
      const called = String(patient.name?.[0]?.given?.[0]);
      const person = this.ofRecord(place, patient.id);
      // Whoever has come in, or was made there by Baton, is who the record says.
      if (person === undefined) this.isRecordOf(place, patient.id, called);
      else if (!this.areOne(person, called))
        damage.push(`Patient/${patient.id} at ${place} of ${person} is called ${called}.`);
      for (const word of wordsIn(patient)) {
        const isHis = this.#isAbout(word, person ?? called) || this.#excused.has(`${place} ${patient.id} ${word}`);
        if (!isHis)
          damage.push(`${word} about ${this.#told(word)} is in Patient/${patient.id} of ${person} at ${place}.`);
      }
    }
    for (const paper of papers) {
      const names = namesIn(paper).flatMap((name) => {
        const person = this.named(place, name);
        return person === undefined ? [] : [{ person, id: String(name.reference).replace('Patient/', '') }];
      });
      if (names.length === 0) continue;
      for (const word of wordsIn(paper)) {
        const isTrue = names.some(
          ({ person, id }) =>
            this.#isAbout(word, person) ||
            this.#isIn(keyOf(paper), person) ||
            this.#excused.has(`${place} ${id} ${word}`),
        );
        const told = names.map(({ person, id }) => `${person} (${id})`).join(', ');
        if (!isTrue) damage.push(`${word} about ${this.#told(word)} is in ${keyOf(paper)} of ${told} at ${place}.`);
      }
    }
    return damage;
  }

  #told(word: string): string {
    return [...(this.#owners.get(word) ?? [])].join(' and ');
  }
}
