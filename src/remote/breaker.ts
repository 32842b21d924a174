// Stops asking a server that does not answer, and asks again now and then. One per connection. docs/sync-spec.md#I19

export type BreakerState = 'closed' | 'open' | 'half-open';
/** `refused`: the server does not accept our credentials. `due`: the pause is over. */
export type BreakerEvent = 'success' | 'failure' | 'refused' | 'due';

export interface BreakerStatus {
  readonly state: BreakerState;
  /** Failures in a row while closed. */
  readonly failures: number;
  /** Times it opened without a success in between. */
  readonly openings: number;
  /** When an open breaker may be tried, epoch milliseconds of the machine's clock. */
  readonly until: number;
}

export const CLOSED: BreakerStatus = { state: 'closed', failures: 0, openings: 0, until: 0 };

const FAILURES_TO_OPEN = 5;
const SHORTEST_PAUSE = 30_000;
const LONGEST_PAUSE = 15 * 60_000;

type Step = (status: BreakerStatus, now: number) => BreakerStatus;

const stay: Step = (status) => status;
const close: Step = () => CLOSED;
const open: Step = (status, now) => ({
  state: 'open',
  failures: 0,
  openings: status.openings + 1,
  until: now + Math.min(SHORTEST_PAUSE * 2 ** status.openings, LONGEST_PAUSE),
});
const count: Step = (status, now) =>
  status.failures + 1 >= FAILURES_TO_OPEN ? open(status, now) : { ...status, failures: status.failures + 1 };

/** Late answers to requests that were under way when it opened change nothing. */
export const BREAKER: Record<BreakerState, Record<BreakerEvent, Step>> = {
  closed: { success: close, failure: count, refused: open, due: stay },
  open: { success: stay, failure: stay, refused: stay, due: (status) => ({ ...status, state: 'half-open' }) },
  'half-open': { success: close, failure: open, refused: open, due: stay },
};

export interface Breaker {
  readonly status: BreakerStatus;
  /** `no`: leave the server alone. `probe`: send one harmless request and record its result first. */
  admit(): 'yes' | 'probe' | 'no';
  record(event: Exclude<BreakerEvent, 'due'>): void;
  /** Goes on from how it stood before; tells nobody. A pause is never longer than the longest. */
  restore(status: BreakerStatus): void;
}

/**
 * @param now the machine's clock, epoch milliseconds
 * @param onChange told of every change of state, once
 */
export function createBreaker(now: () => number, onChange: (status: BreakerStatus) => void): Breaker {
  let status = CLOSED;
  const apply = (event: BreakerEvent) => {
    const before = status.state;
    status = BREAKER[before][event](status, now());
    if (status.state !== before) onChange(status);
  };
  return {
    get status() {
      return status;
    },
    admit() {
      if (status.state === 'open' && now() >= status.until) apply('due');
      return status.state === 'closed' ? 'yes' : status.state === 'half-open' ? 'probe' : 'no';
    },
    record: apply,
    restore(before) {
      status = { ...before, until: Math.min(before.until, now() + LONGEST_PAUSE) };
    },
  };
}
