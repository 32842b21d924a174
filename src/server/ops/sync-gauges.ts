// Numbers of sync for /metrics. docs/operations.md says what each means and what to do. docs/sync-spec.md#I23
import type { CountFamily } from '../../sync/alerts/meter.ts';
import type { ConnectionStatus } from '../../sync/status.ts';
import type { Sync } from '../../sync/sync.ts';
import type { GaugeSource, HistogramSource, Sample } from '../metrics.ts';
import { shared } from './shared.ts';

type Measured = Pick<Sync, 'status' | 'meter'>;

const STATES: readonly ConnectionStatus['breaker']['state'][] = ['closed', 'open', 'half-open'];

export function syncGauges(sync: Measured): GaugeSource[] {
  const status = shared(() => sync.status());
  const perConnection = (
    name: string,
    help: string,
    read: (status: ConnectionStatus) => number | null | undefined,
  ): GaugeSource => ({
    name,
    help,
    labels: ['connection'],
    read: async () =>
      (await status()).flatMap((one): Sample[] => {
        const value = read(one);
        return value == null ? [] : [{ labels: { connection: one.name }, value }];
      }),
  });
  const many = (
    name: string,
    help: string,
    label: string,
    read: (status: ConnectionStatus) => (readonly [string, number])[],
  ): GaugeSource => ({
    name,
    help,
    labels: ['connection', label],
    read: async () =>
      (await status()).flatMap((one) =>
        read(one).map(([key, value]) => ({ labels: { connection: one.name, [label]: key }, value })),
      ),
  });
  const counted = (name: string, help: string, label: string, family: CountFamily): GaugeSource => ({
    name,
    help,
    counts: true,
    labels: ['connection', label],
    read: async () =>
      sync.meter.read(family).map(({ connection, what, value }) => ({ labels: { connection, [label]: what }, value })),
  });
  return [
    perConnection(
      'baton_sync_feed_lag',
      'Versions in the log that the connection has not looked at yet.',
      (one) => one.feedLag,
    ),
    perConnection('baton_sync_feed_lag_seconds', 'Age of the oldest of them.', (one) => one.feedLagSeconds),
    perConnection(
      'baton_sync_oldest_queued_seconds',
      'How long the oldest outbox entry has waited that waits for nobody.',
      (one) => one.oldestQueuedSeconds,
    ),
    perConnection('baton_sync_conflicts', 'Conflicts that wait for a person.', (one) => one.openConflicts),
    perConnection(
      'baton_sync_oldest_conflict_seconds',
      'Age of the oldest of them.',
      (one) => one.oldestConflictSeconds,
    ),
    perConnection('baton_sync_quarantined', 'Received resources that could not be taken in.', (one) => one.quarantined),
    perConnection('baton_sync_links', 'Resources that are known on both sides.', (one) => one.links),
    perConnection(
      'baton_sync_silence_seconds',
      'Since the type that was read longest ago was read, or was to be for the first time.',
      (one) => one.oldestRunSeconds,
    ),
    many(
      'baton_sync_watermark_timestamp_seconds',
      "The remote's time up to which a type is here.",
      'type',
      ({ streams }) =>
        streams.flatMap(({ type, highWater }) =>
          highWater === null ? [] : [[type, Temporal.Instant.from(highWater).epochMilliseconds / 1000] as const],
        ),
    ),
    many('baton_sync_breaker', '1 for the state that the breaker is in.', 'state', ({ breaker }) =>
      STATES.map((state) => [state, Number(state === breaker.state)] as const),
    ),
    many('baton_sync_alert', '1 for each alert that is on.', 'alert', ({ alerts }) =>
      alerts.map((alert) => [alert, 1] as const),
    ),
    many('baton_outbox_entries', 'Outbox entries by state.', 'state', ({ outbox }) => Object.entries(outbox)),
    counted('baton_sync_exchanges_total', 'Requests to the server by class of their outcome.', 'class', 'exchanges'),
    counted(
      'baton_sync_events_total',
      'What happened: pushed, pulled, conflict, parked, quarantined…',
      'kind',
      'events',
    ),
    counted('baton_sync_echoes_total', 'Received resources that were known already.', 'result', 'echoes'),
    counted('baton_sync_probes_total', 'What came of looking for an interrupted create.', 'result', 'probes'),
  ];
}

export function syncDurations({ meter }: Measured): HistogramSource {
  return {
    name: 'baton_sync_exchange_duration_seconds',
    help: 'How long the server took to answer.',
    labels: ['connection', 'method'],
    listen: (observe) => meter.listen((connection, method, seconds) => observe({ connection, method }, seconds)),
  };
}
