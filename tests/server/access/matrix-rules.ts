// The rules of access in plain words, for the matrix: who reaches what is written out by hand for every grant, and what an
// interaction must then answer follows from it. Nothing here is taken from Baton's code.

/** What the rules look at in a resource. */
export interface Subject {
  readonly type: string;
  readonly id: string;
  /** In whose compartment it is. */
  readonly patient?: 'own' | 'other';
  readonly status?: string;
  readonly code?: string;
  /** Whether the community partner owns it. */
  readonly owned?: boolean;
}

export type Limit = (subject: Subject) => boolean;

export const OF_OWN: Limit = ({ patient }) => patient === 'own';
export const OWNED: Limit = ({ owned }) => owned === true;
export const ofStatus =
  (status: string): Limit =>
  (subject) =>
    subject.status === status;
export const ofCode =
  (code: string): Limit =>
  (subject) =>
    subject.code === code;
export const both =
  (a: Limit, b: Limit): Limit =>
  (subject) =>
    a(subject) && b(subject);

/** One way that a grant gives: letters, types, and of these only some. */
export interface Way {
  readonly may: string;
  readonly types: readonly string[] | '*';
  readonly only?: Limit;
  /** From a scope of all types (`…/*.rs`): it also serves what is asked of all types at once. */
  readonly ofAll?: boolean;
  /** It goes by what a resource says, not by whom it is about: of past versions nobody knows what the index would say. */
  readonly bySaying?: boolean;
  /** It goes by a rule of a role that names no patients: what is written names nobody whom it did not name before. */
  readonly namesNobody?: boolean;
}

export interface GrantRow {
  readonly name: string;
  readonly scope: string;
  readonly patient?: string;
  readonly user?: string;
  readonly ways: readonly Way[];
  readonly breaksGlass?: boolean;
}

export class Rules {
  readonly #row: GrantRow;

  constructor(row: GrantRow) {
    this.#row = row;
  }

  #ways(letter: string, type: string): readonly Way[] {
    return this.#row.ways.filter(
      ({ may, types, ofAll }) =>
        may.includes(letter) && (type === '*' ? ofAll === true : types === '*' || types.includes(type)),
    );
  }

  /** The grant allows the letter for some resources of the type. */
  some(letter: string, type: string): boolean {
    return this.#ways(letter, type).length > 0;
  }

  /** For all of them. */
  whole(letter: string, type: string): boolean {
    return this.#ways(letter, type).some(({ only, types }) => only === undefined && (type !== '*' || types === '*'));
  }

  /** For this one. */
  one(letter: string, subject: Subject): boolean {
    return this.#ways(letter, subject.type).some(({ only }) => only === undefined || only(subject));
  }

  /** For this one, asked of all types at once. */
  oneOfAll(letter: string, subject: Subject): boolean {
    return this.#ways(letter, '*').some(
      ({ only, types }) => (types === '*' || types.includes(subject.type)) && (only === undefined || only(subject)),
    );
  }

  /** For this one, which is made by it. */
  makes(letter: string, subject: Subject): boolean {
    return this.#ways(letter, subject.type).some(
      ({ only, namesNobody }) =>
        (only === undefined || only(subject)) && !(namesNobody === true && subject.patient !== undefined),
    );
  }

  /** For versions that are past, of what is reached. */
  past(letter: string, type: string): boolean {
    return this.whole(letter, type) || !this.#ways(letter, type).some(({ bySaying }) => bySaying === true);
  }

  /** It may be shown: read or found. */
  shows(subject: Subject): boolean {
    return this.one('r', subject) || this.one('s', subject);
  }

  get breaksGlass(): boolean {
    return this.#row.breaksGlass === true;
  }
}
