// What the simulated server keeps: every version of every resource in memory, by id, patient, identifier and time.
import type { Resource } from '@medplum/fhirtypes';

export interface Version {
  readonly op: 'create' | 'update' | 'delete';
  readonly type: string;
  readonly id: string;
  readonly number: number;
  /** Milliseconds since 1970; what `_lastUpdated` compares. */
  readonly at: number;
  readonly lastUpdated: string;
  /** Searches do not see it before; milliseconds since 1970. */
  readonly visibleAt: number;
  /** Absent for a delete. */
  readonly resource: Resource | undefined;
  /** As it is answered; made at the first need. */
  text?: string;
  /** Values of search parameters; made at the first need. */
  readonly facts: Map<string, readonly unknown[]>;
}

export interface Stamp {
  readonly at: number;
  readonly lastUpdated: string;
  readonly visibleAt: number;
}

export interface Image {
  readonly rows: ReadonlyMap<string, readonly Version[]>;
  readonly logs: ReadonlyMap<string, readonly Version[]>;
}

export class Records {
  /** `Type/id` to its versions, oldest first. */
  #rows = new Map<string, Version[]>();
  /** By type, in order of time. */
  #logs = new Map<string, Version[]>();
  /** Ids that may belong to a patient, or have an identifier: never too few, and checked by who asks. */
  readonly #byPatient = new Map<string, Set<string>>();
  readonly #byIdentifier = new Map<string, Set<string>>();
  readonly #now: () => number;
  readonly #stamp: () => Stamp;
  #written: Version[] | undefined;

  constructor(now: () => number, stamp: () => Stamp) {
    this.#now = now;
    this.#stamp = stamp;
  }

  /** @param resource with id; undefined deletes */
  write(type: string, id: string, resource: Resource | undefined): Version {
    const earlier = this.#rows.get(`${type}/${id}`);
    const op = resource === undefined ? 'delete' : earlier?.at(-1)?.resource === undefined ? 'create' : 'update';
    const number = (earlier?.length ?? 0) + 1;
    const version: Version = { op, type, id, number, ...this.#stamp(), resource, facts: new Map() };
    if (earlier) earlier.push(version);
    else this.#rows.set(`${type}/${id}`, [version]);
    const log = this.#logs.get(type);
    if (log) log.push(version);
    else this.#logs.set(type, [version]);
    this.#written?.push(version);
    if (resource) this.#index(type, id, resource);
    return version;
  }

  /** Runs `work`, which must not wait for anything; when it throws, nothing of what it wrote stays. */
  atOnce<T>(work: () => T): T {
    this.#written = [];
    try {
      return work();
    } catch (error) {
      for (const version of this.#written.toReversed()) {
        const key = `${version.type}/${version.id}`;
        this.#logs.get(version.type)?.pop();
        const versions = this.#rows.get(key);
        versions?.pop();
        if (versions?.length === 0) this.#rows.delete(key);
      }
      throw error;
    } finally {
      this.#written = undefined;
    }
  }

  versions(type: string, id: string): readonly Version[] {
    return this.#rows.get(`${type}/${id}`) ?? [];
  }

  newest(type: string, id: string): Version | undefined {
    return this.#rows.get(`${type}/${id}`)?.at(-1);
  }

  /** The version that a search sees; undefined when there is none, or it is a delete. */
  shown(type: string, id: string): Version | undefined {
    const now = this.#now();
    const version = this.#rows.get(`${type}/${id}`)?.findLast(({ visibleAt }) => visibleAt <= now);
    return version?.resource === undefined ? undefined : version;
  }

  /** What a search of the type sees, oldest change first. @param from leaves out what changed before; milliseconds */
  all(type: string, from = Number.NEGATIVE_INFINITY): Version[] {
    const log = this.#logs.get(type) ?? [];
    const found: Version[] = [];
    for (let index = firstFrom(log, from); index < log.length; index++) {
      const version = log[index] as Version;
      if (version.resource !== undefined && this.shown(type, version.id) === version) found.push(version);
    }
    return found;
  }

  ofPatient(type: string, patientId: string): Version[] {
    return this.#shownOf(type, this.#byPatient.get(`${type}|${patientId}`));
  }

  ofIdentifier(type: string, value: string): Version[] {
    return this.#shownOf(type, this.#byIdentifier.get(`${type}|${value}`));
  }

  /** Every version that can be seen by now, in order of time; of one type or of all. */
  history(type?: string): Version[] {
    const now = this.#now();
    const logs = type === undefined ? [...this.#logs.values()] : [this.#logs.get(type) ?? []];
    const all = logs.flatMap((log) => log.filter(({ visibleAt }) => visibleAt <= now));
    return type === undefined ? all.sort((left, right) => left.at - right.at) : all;
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#logs.keys()].sort().map((type) => [type, this.all(type).length]));
  }

  wipe(): void {
    this.#rows = new Map();
    this.#logs = new Map();
  }

  image(): Image {
    const copy = (map: ReadonlyMap<string, Version[]>) => new Map([...map].map(([key, list]) => [key, [...list]]));
    return { rows: copy(this.#rows), logs: copy(this.#logs) };
  }

  restore(image: Image): void {
    const copy = (map: Image['rows']) => new Map([...map].map(([key, list]) => [key, [...list]]));
    this.#rows = copy(image.rows);
    this.#logs = copy(image.logs);
  }

  #shownOf(type: string, ids: ReadonlySet<string> | undefined): Version[] {
    const found = [...(ids ?? [])].flatMap((id) => this.shown(type, id) ?? []);
    return found.sort((left, right) => left.at - right.at);
  }

  #index(type: string, id: string, resource: Resource): void {
    for (const patient of patientsOf(resource)) add(this.#byPatient, `${type}|${patient}`, id);
    for (const value of identifierValues(resource)) add(this.#byIdentifier, `${type}|${value}`, id);
  }
}

function add(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key);
  if (ids) ids.add(id);
  else index.set(key, new Set([id]));
}

/** Index of the first version that is not older. */
function firstFrom(log: readonly Version[], from: number): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((log[middle] as Version).at < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Common {
  readonly subject?: { reference?: string };
  readonly patient?: { reference?: string };
  readonly for?: { reference?: string };
  readonly beneficiary?: { reference?: string };
  readonly participant?: readonly { actor?: { reference?: string } }[];
  readonly identifier?: unknown;
}

/** Ids of the patients that the resource is about. */
export function patientsOf(resource: Resource): string[] {
  const { subject, patient, for: about, beneficiary, participant = [] } = resource as unknown as Common;
  const actors = Array.isArray(participant) ? participant.map(({ actor }) => actor) : [];
  return [subject, patient, about, beneficiary, ...actors].flatMap(
    (reference) => /(?:^|\/)Patient\/([^/]+)$/.exec(reference?.reference ?? '')?.[1] ?? [],
  );
}

function identifierValues(resource: Resource): string[] {
  const { identifier } = resource as unknown as Common;
  const list = Array.isArray(identifier) ? identifier : identifier ? [identifier] : [];
  return list.flatMap((each: { value?: unknown }) => (typeof each?.value === 'string' ? each.value : []));
}
