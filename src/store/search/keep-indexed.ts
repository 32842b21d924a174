// Follows changes of the guides, and indexes stored resources again when search parameters have changed: in the
// background, in one process of all that share the database.
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import { withLease } from '../lease.ts';
import type { OpenStore } from '../open.ts';

const LEASE = 'reindex';
const LEASE_DURATION = Temporal.Duration.from({ seconds: 30 });
/** How soon a guide that was added elsewhere is known here at the latest, in milliseconds. */
const LOOK_EVERY = 2_000;

export interface IndexKeeper {
  start(): void;
  /** One look, and whatever it finds to do. Looks never overlap. */
  look(): Promise<void>;
  /** Stops after the batch at hand. What is left is done after the next start. */
  stop(): Promise<void>;
}

export function keepIndexed(store: OpenStore, clock: Clock, log: Logger): IndexKeeper {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  async function work(): Promise<void> {
    try {
      if (await store.refresh()) log.info('the installed guides have changed');
      if (store.isIndexing) await index();
    } catch (error) {
      log.error({ err: error }, 'the search index could not be brought up to date; it is tried again');
    }
  }

  async function index(): Promise<void> {
    const started = performance.now();
    const result = await withLease(store, clock, LEASE, LEASE_DURATION, async ({ signal }) => {
      log.info('indexing stored resources by changed search parameters');
      await store.reindex(AbortSignal.any([signal, stopping.signal]));
    });
    if (result.held && !store.isIndexing) {
      log.info({ seconds: Math.round((performance.now() - started) / 1000) }, 'the search index is complete');
    }
  }

  function look(): Promise<void> {
    looking ??= work().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    start() {
      timer ??= setInterval(() => void look(), LOOK_EVERY);
      void look();
    },
    look,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await looking;
    },
  };
}
