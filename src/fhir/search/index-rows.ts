// Collects the search rows of one resource. The same row may come twice; writing it skips the second.
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

  /** How many rows there are. */
  get count(): number {
    const { token, reference, date, string, number, quantity, uri } = this.rows;
    return token.length + reference.length + date.length + string.length + number.length + quantity.length + uri.length;
  }

  token({ parameter, part }: Place, system: string, code: string): void {
    this.rows.token.push([parameter, part, system, code]);
  }

  reference({ parameter, part }: Place, type: string, id: string): void {
    this.rows.reference.push([parameter, part, type, id]);
  }

  /** Half-open range of epoch milliseconds. */
  date({ parameter, part }: Place, low: number, high: number): void {
    this.rows.date.push([parameter, part, low, high]);
  }

  string({ parameter, part }: Place, folded: string, exact: string): void {
    this.rows.string.push([parameter, part, folded, exact]);
  }

  /** Closed range. */
  number({ parameter, part }: Place, low: number, high: number): void {
    this.rows.number.push([parameter, part, low, high]);
  }

  /** Closed range. */
  quantity({ parameter, part }: Place, low: number, high: number, system: string, code: string, unit: string): void {
    this.rows.quantity.push([parameter, part, low, high, system, code, unit]);
  }

  uri({ parameter, part }: Place, value: string): void {
    this.rows.uri.push([parameter, part, value]);
  }
}
