// A status machine as data: which status may follow which.

/** A row for every status, so that every pair has an answer: what a row does not name may not follow. */
export type Successors<S extends string> = Readonly<Record<S, readonly S[]>>;

export interface Machine<S extends string = string> {
  /** Resource type and what it is about, for people: `Task`, `referral Task`. */
  readonly name: string;
  /** The element that holds the status, e.g. `lifecycleStatus`. */
  readonly element: string;
  /** Page of the standard that defines the statuses. */
  readonly source: string;
  readonly successors: Successors<S>;
}

/** The same, where which statuses there are is known only when it runs. */
export interface AnyMachine extends Omit<Machine, 'successors'> {
  readonly successors: Readonly<Partial<Record<string, readonly string[]>>>;
}

/** An answer that is no. */
export interface Refusal {
  /** `Task.status` */
  readonly expression: string;
  /** Names the statuses that may follow. */
  readonly sentence: string;
  /** What the resource may become instead, by this actor. */
  readonly next: readonly string[];
}

/** True when nothing follows a status but that it was a mistake. */
export function isEnd({ successors }: AnyMachine, status: string): boolean {
  return (successors[status] ?? ['?']).every((next) => next === 'entered-in-error');
}

/**
 * Whether one status may become another in any number of steps. Of a status that the machine does not have nothing is
 * known, so everything may follow it.
 */
export function isReachable({ successors }: AnyMachine, from: string | undefined, to: string | undefined): boolean {
  if (from === to || from === undefined || !(from in successors)) return true;
  const seen = new Set([from]);
  for (const status of seen) for (const next of successors[status] ?? []) seen.add(next);
  return to !== undefined && seen.has(to);
}
