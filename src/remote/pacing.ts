// How fast a server is asked: a token bucket, a number of requests at a time that halves when the server complains and
// grows by one per quiet minute, and pauses it asked for. One per connection. docs/sync-spec.md#I18

export interface PacingOptions {
  readonly requestsPerSecond: number;
  /** Most requests at a time. */
  readonly concurrency: number;
  /** The machine's clock, epoch milliseconds. */
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

export interface Pacing {
  /** Milliseconds until a pause that the server asked for is over; 0 when there is none. */
  paused(): number;
  /** Resolves when a request may be sent; call what it resolves to when the answer is there. */
  enter(): Promise<() => void>;
  /** The server said 429 or 503. */
  slowDown(pause: Temporal.Duration | undefined): void;
  /** Requests at a time right now. */
  readonly limit: number;
}

const QUIET = 60_000;

export function createPacing(options: PacingOptions): Pacing {
  const { requestsPerSecond, concurrency, now, wait } = options;
  let limit = concurrency;
  let active = 0;
  let tokens = requestsPerSecond;
  let filledAt = now();
  let changedAt = now();
  let pausedUntil = 0;
  const queue: (() => void)[] = [];

  const grow = () => {
    const minutes = Math.floor((now() - changedAt) / QUIET);
    if (minutes <= 0 || limit >= concurrency) return;
    limit = Math.min(concurrency, limit + minutes);
    changedAt = now();
  };
  const leave = () => {
    active -= 1;
    grow();
    while (active < limit && queue.length > 0) {
      active += 1;
      queue.shift()?.();
    }
  };
  const takeToken = async () => {
    const passed = Math.max(0, now() - filledAt);
    tokens = Math.min(requestsPerSecond, tokens + (passed / 1000) * requestsPerSecond) - 1;
    filledAt = now();
    // A debt of tokens is a place in the queue: whoever comes later waits longer.
    if (tokens < 0) await wait(Math.ceil((-tokens / requestsPerSecond) * 1000));
  };

  return {
    get limit() {
      return limit;
    },
    paused: () => Math.max(0, pausedUntil - now()),
    async enter() {
      grow();
      if (active < limit) active += 1;
      else await new Promise<void>((resolve) => queue.push(resolve));
      await takeToken();
      return leave;
    },
    slowDown(pause) {
      limit = Math.max(1, Math.floor(limit / 2));
      changedAt = now();
      if (pause) pausedUntil = Math.max(pausedUntil, now() + pause.total('milliseconds'));
    },
  };
}
