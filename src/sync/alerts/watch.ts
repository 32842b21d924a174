// Looks after each run whether something began or ended that operators should know of.
import type { Logger } from 'pino';
import type { Clock } from '../../clock.ts';
import { asFault } from '../../fault.ts';
import type { Store } from '../../store/store.ts';
import type { Connection } from '../connections/settings.ts';
import type { SyncEvent } from '../context.ts';
import type { ConnectionHealth } from '../status.ts';
import { type AlertThresholds, CONDITIONS, HAPPENINGS, THRESHOLDS } from './alert-kinds.ts';
import { type Alert, endAlertsOfDeleted, raiseAlerts, raiseHappening } from './alerts.ts';

export interface WatchOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly thresholds?: Partial<AlertThresholds> | undefined;
  readonly emit: (event: SyncEvent) => void;
  readonly healthOf: (connection: Connection) => Promise<ConnectionHealth>;
}

export interface Watch {
  /** Remembers what may have changed a condition, or is an alert by itself. */
  note(event: SyncEvent): void;
  /** Raises what there is to raise. @param always after a beat; otherwise only when something was noted, and no silence */
  look(connection: Connection, always: boolean): Promise<void>;
  /** Ends the alerts of connections that were deleted. @param isRunning whether one of that name is here all the same */
  lookAfterDeleted(isRunning: (connection: string) => boolean): Promise<void>;
}

/** After days without, the first beat reads everything; what happens before it says nothing about silence. */
const { stalled: _stalled, ...WITHOUT_SILENCE } = CONDITIONS;

const TELLING: ReadonlySet<SyncEvent['kind']> = new Set(['breaker', 'parked', 'rejected', 'conflict', 'quarantined']);

export function createWatch({ store, clock, log, thresholds, emit, healthOf }: WatchOptions): Watch {
  const noted = new Set<string>();
  const happened: Alert[] = [];
  const limits = { ...THRESHOLDS, ...thresholds };
  const tell = ({ connection, event, detail }: Alert) => {
    log.warn({ connection, alert: event, detail }, 'alert');
    emit({ kind: 'alert', connection, alert: event });
  };
  return {
    note(event) {
      const { kind, connection, isOver } = event;
      const happening = HAPPENINGS[kind];
      if (happening) {
        const name = isOver && happening.ends ? happening.ends : happening.event;
        happened.push({ connection, event: name, detail: event.detail ?? happening.detail(event) });
      }
      if (happening || TELLING.has(kind)) noted.add(connection);
    },
    async look(connection, always) {
      if (!noted.delete(connection.name) && !always) return;
      const now = clock.real().epochMilliseconds;
      try {
        for (const alert of happened.splice(0)) {
          await raiseHappening(store, alert, now);
          tell(alert);
        }
        const status = await healthOf(connection);
        const seen = always ? CONDITIONS : WITHOUT_SILENCE;
        for (const alert of await raiseAlerts(store, connection, status, limits, now, seen)) tell(alert);
      } catch (error) {
        // Told at the next look; what is on is kept with the rest.
        log.error({ err: asFault(error), connection: connection.name }, 'alerts could not be told');
      }
    },
    async lookAfterDeleted(isRunning) {
      try {
        for (const alert of await endAlertsOfDeleted(store, isRunning, clock.real().epochMilliseconds)) tell(alert);
      } catch (error) {
        log.error({ err: asFault(error) }, 'the alerts of deleted connections could not be ended');
      }
    },
  };
}
