// What came of pulling one type.
import type { RemoteFailure } from '../../remote/result.ts';

/** `no-strategy`: the server has no door for the type. `refused`: it does not give it to us. */
export type PullOutcome = 'done' | 'no-strategy' | 'refused' | 'failed' | 'stopped';

export interface PullResult {
  readonly outcome: PullOutcome;
  readonly applied: number;
  readonly failure?: RemoteFailure;
  /** The failure was the answer to the first request, so it is about the way of asking. */
  readonly atStart?: boolean;
}
