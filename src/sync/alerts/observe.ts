// What operators see of sync while it runs: counts, alerts, and breakers that outlive the process.
// docs/sync-spec.md#I19 docs/sync-spec.md#I23
import type { Logger } from 'pino';
import { asFault } from '../../fault.ts';
import type { Breaker, BreakerStatus } from '../../remote/breaker.ts';
import type { RemoteOptions } from '../../remote/remote.ts';
import { BATON, type Store } from '../../store/store.ts';
import { readBreaker, saveBreaker } from '../connections/breaker-row.ts';
import type { SyncEvent } from '../context.ts';
import { createMeter, type Meter } from './meter.ts';
import { createWatch, type Watch, type WatchOptions } from './watch.ts';

export interface Observer {
  readonly meter: Meter;
  readonly emit: (event: SyncEvent) => void;
  /** After a run; see Watch. */
  readonly look: Watch['look'];
  readonly lookAfterDeleted: Watch['lookAfterDeleted'];
  /** What the remote of a connection tells. */
  told(connection: string): Pick<RemoteOptions, 'onBreaker' | 'onExchange'>;
  /** Before the first run of a connection in this process: its breaker goes on from where it stood. */
  begin(connection: string, breaker: Breaker): Promise<void>;
  /** Resolves when everything told so far is kept. */
  settled(): Promise<void>;
}

export type ObserverOptions = Omit<WatchOptions, 'emit'> & {
  /** Told of every event. */
  readonly emit?: ((event: SyncEvent) => void) | undefined;
};

export function createObserver(options: ObserverOptions): Observer {
  const { store, log } = options;
  const meter = createMeter();
  const begun = new Set<string>();
  const keeping = new Set<Promise<unknown>>();
  const emit = (event: SyncEvent) => {
    meter.event(event);
    watch.note(event);
    options.emit?.(event);
  };
  const watch = createWatch({ ...options, emit });

  function keep(connection: string, status: BreakerStatus): void {
    const kept = keepBreaker(store, log, connection, status).finally(() => keeping.delete(kept));
    keeping.add(kept);
  }

  return {
    meter,
    emit,
    look: watch.look,
    lookAfterDeleted: watch.lookAfterDeleted,
    told: (connection) => ({
      onBreaker(status) {
        keep(connection, status);
        emit({ kind: 'breaker', connection, state: status.state });
      },
      onExchange: (exchange) => meter.exchange(connection, exchange),
    }),
    async begin(connection, breaker) {
      if (begun.has(connection)) return;
      const before = await readBreaker(store, connection);
      if (before && !begun.has(connection) && breaker.status.state === 'closed') breaker.restore(before);
      begun.add(connection);
    },
    async settled() {
      await Promise.all(keeping);
    },
  };
}

async function keepBreaker(store: Store, log: Logger, connection: string, status: BreakerStatus): Promise<void> {
  try {
    await store.commit(BATON, [], [saveBreaker(connection, status)]);
  } catch (error) {
    log.error({ err: asFault(error), connection }, 'the state of the breaker is not kept');
  }
}
