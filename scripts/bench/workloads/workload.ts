// A row of the benchmark's table: what is asked, over how many connections, and what it is held against.
import type { Script } from '../driver/session.ts';

export type EngineName = 'sqlite' | 'postgres';

/** What the machine can do at most for this kind of request, measured in the same run. */
export type BareLimit =
  /** A Fastify route that answers so many stored resources of a type from the same database. */
  | { readonly kind: 'read'; readonly type: string; readonly count: number }
  /** A loop that inserts the rows of so many creates per transaction. */
  | { readonly kind: 'insert'; readonly type: string; readonly perTransaction: number };

export interface Workload {
  /** Unique; the part before the space is its group: `W3 token`. */
  readonly name: string;
  readonly what: string;
  readonly connections: number;
  readonly script: Script;
  /** Resources to a request, when throughput is told in resources. */
  readonly resources?: () => number;
  /** Per second, requests or resources. */
  readonly goal?: Readonly<Record<EngineName, number>>;
  readonly limit?: BareLimit;
  /** Held against Baton itself without authentication, authorization and audit, the two measured in turn. */
  readonly againstUnguarded?: true;
  /** Share of the limit that is to be reached. */
  readonly share?: number;
  /** False: peak only, no latencies. */
  readonly open?: false;
}
