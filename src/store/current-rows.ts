// What the commits of one group know of current resources without their content: read once, many at a time, and kept up
// to date with what the group itself writes.
import type { Transaction } from './engine.ts';
import type { SqlRow } from './store.ts';
import { patientsOf } from './stored.ts';

/** The row of `resource` without its content. */
export interface CurrentState {
  readonly rid: number;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly updated: number;
  readonly deleted: boolean;
  /** Whose compartment it is in; undefined when nobody has noted it. */
  readonly patients: readonly string[] | undefined;
}

export interface ResourceKey {
  readonly type: string;
  readonly id: string;
}

/** Ids in one statement: few sizes, so that few texts exist. */
const SIZES = [1, 4, 16, 64, 256] as const;
const MOST = 256;

const select = (size: number) =>
  `SELECT rid, type, id, version, sequence, updated, deleted, patients FROM resource WHERE type = ? AND id IN (${Array.from({ length: size }, () => '?').join(', ')})`;
const TEXTS = new Map(SIZES.map((size) => [size, select(size)]));

export class CurrentRows {
  readonly #tx: Transaction;
  readonly #known = new Map<string, CurrentState | undefined>();
  /** What was known before the unit that is being committed changed it. */
  #before: (readonly [string, CurrentState | undefined])[] = [];

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  /** The current state, a deleted one included; undefined when there never was one. */
  async find(type: string, id: string): Promise<CurrentState | undefined> {
    const key = `${type}/${id}`;
    if (!this.#known.has(key)) await this.#read(type, [id]);
    return this.#known.get(key);
  }

  /** Whether it is known already that there is a current resource. @param key `Type/id` */
  isThere(key: string): boolean {
    return this.#known.get(key)?.deleted === false;
  }

  set(state: CurrentState): void {
    const key = `${state.type}/${state.id}`;
    this.#before.push([key, this.#known.get(key)]);
    this.#known.set(key, state);
  }

  /** Reads those that are not known yet. Whatever the group wrote is known, so what it has put need not be seen. */
  async load(keys: readonly ResourceKey[]): Promise<void> {
    const wanted = new Map<string, Set<string>>();
    for (const { type, id } of keys) {
      if (this.#known.has(`${type}/${id}`)) continue;
      const ids = wanted.get(type) ?? new Set<string>();
      wanted.set(type, ids.add(id));
    }
    if (wanted.size === 0) return;
    const reads: Promise<void>[] = [];
    for (const [type, ids] of wanted) {
      const all = [...ids];
      for (let start = 0; start < all.length; start += MOST) {
        reads.push(this.#read(type, all.slice(start, start + MOST)));
      }
    }
    await Promise.all(reads);
  }

  /** What was set from now on can be undone. */
  begin(): void {
    this.#before = [];
  }

  /** Undoes what was set since `begin`. */
  undo(): void {
    for (const [key, state] of this.#before.toReversed()) this.#known.set(key, state);
    this.#before = [];
  }

  async #read(type: string, ids: readonly string[]): Promise<void> {
    const size = SIZES.find((candidate) => candidate >= ids.length) ?? MOST;
    const padded = [...ids, ...Array.from({ length: size - ids.length }, () => ids[0] ?? '')];
    const rows = await this.#tx.before(TEXTS.get(size) ?? '', [type, ...padded]);
    for (const id of ids) this.#known.set(`${type}/${id}`, undefined);
    for (const row of rows) this.#known.set(`${type}/${row.id}`, stateOf(row));
  }
}

function stateOf(row: SqlRow): CurrentState {
  return {
    rid: Number(row.rid),
    type: String(row.type),
    id: String(row.id),
    version: Number(row.version),
    sequence: Number(row.sequence),
    updated: Number(row.updated),
    deleted: row.deleted === 1,
    patients: patientsOf(row),
  };
}
