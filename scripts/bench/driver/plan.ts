// What the parent tells the driver's process to do, and what it hears back.
import type { Latencies } from './open-loop.ts';
import type { World } from './session.ts';

export interface DrivePlan {
  /** Name of a workload in the table. */
  readonly workload: string;
  readonly url: string;
  /** Absent for the bare server. */
  readonly token?: string;
  readonly world: World;
  readonly connections: number;
  readonly seconds: number;
  /** Also the latencies at half of the throughput that was found. */
  readonly open: boolean;
  readonly server: number;
  /** Process of the database server, if there is one. */
  readonly database?: number;
}

export interface Measured {
  readonly perSecond: number;
  /** CPU milliseconds to a request: Baton's, the database server's, the driver's own. */
  readonly cpu: { readonly server: number; readonly database: number; readonly driver: number };
  readonly latencies?: Latencies;
}

/** `skipped`: the server does not have what the workload asks for. */
export type DriveResult = { readonly measured: Measured } | { readonly skipped: string } | { readonly error: string };
