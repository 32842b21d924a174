// Collects the search rows of one resource, each once.
import type { ValueKind } from './query.ts';

export type IndexRow = readonly (string | number)[];

/** Rows per kind, in the column order of the `search_…` tables after `rid`. */
export type IndexRows = Readonly<Record<ValueKind, readonly IndexRow[]>>;

/** Where a value belongs: the parameter's integer id, and the repetition of a composite (0 for all others). */
export interface Place {
  readonly parameter: number;
  readonly part: number;
}

export class RowCollector {
  readonly rows: Record<ValueKind, IndexRow[]> = {
    token: [],
    reference: [],
    date: [],
    string: [],
    number: [],
    quantity: [],
    uri: [],
  };
  readonly #seen = new Set<string>();

  token({ parameter, part }: Place, system: string, code: string): void {
    this.#add('token', [parameter, part, system, code]);
  }

  reference({ parameter, part }: Place, type: string, id: string): void {
    this.#add('reference', [parameter, part, type, id]);
  }

  /** Half-open range of epoch milliseconds. */
  date({ parameter, part }: Place, low: number, high: number): void {
    this.#add('date', [parameter, part, low, high]);
  }

  string({ parameter, part }: Place, folded: string, exact: string): void {
    this.#add('string', [parameter, part, folded, exact]);
  }

  /** Closed range. */
  number({ parameter, part }: Place, low: number, high: number): void {
    this.#add('number', [parameter, part, low, high]);
  }

  /** Closed range. */
  quantity({ parameter, part }: Place, low: number, high: number, system: string, code: string, unit: string): void {
    this.#add('quantity', [parameter, part, low, high, system, code, unit]);
  }

  uri({ parameter, part }: Place, value: string): void {
    this.#add('uri', [parameter, part, value]);
  }

  #add(kind: ValueKind, row: IndexRow): void {
    const key = `${kind}\u0000${row.join('\u0000')}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.rows[kind].push(row);
  }
}
