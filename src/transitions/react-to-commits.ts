// Transitions react soon after every commit, not only at the next heartbeat.
import type { Logger } from 'pino';
import type { Store } from '../store/store.ts';
import type { Transitions } from './transitions.ts';

/** Returns the way to stop, which waits for the last run. */
export function reactToCommits(
  store: Pick<Store, 'onCommit'>,
  transitions: Pick<Transitions, 'run'>,
  log: Logger,
): () => Promise<void> {
  let waiting = false;
  let last = Promise.resolve();
  const run = async () => {
    waiting = false;
    try {
      await transitions.run();
    } catch (error) {
      log.error({ err: error }, 'transitions stopped; the heartbeat tries again');
    }
  };
  const stop = store.onCommit(() => {
    if (waiting) return;
    waiting = true;
    setImmediate(() => {
      last = run();
    });
  });
  return async () => {
    stop();
    await last;
  };
}
