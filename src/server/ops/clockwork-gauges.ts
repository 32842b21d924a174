// Numbers of the heartbeat and the sweeps for /metrics. docs/operations.md says what each means and what to do.
import { CLOCKWORK, readActiveAlerts } from '../../store/alert.ts';
import type { Store } from '../../store/store.ts';
import type { WatchStatus } from '../../transitions/conditions.ts';
import type { PulseStatus } from '../../transitions/pulse.ts';
import type { Watchdog } from '../../transitions/watchdog.ts';
import type { GaugeSource } from '../metrics.ts';
import { shared } from './shared.ts';

export function clockworkGauges(store: Store, watchdog: Pick<Watchdog, 'status' | 'pulse'>): GaugeSource[] {
  const look = shared(() => watchdog.status());
  const feel = shared(() => watchdog.pulse());
  const one = <S>(
    name: string,
    help: string,
    see: () => Promise<S>,
    read: (status: S) => number,
    counts?: true,
  ): GaugeSource => ({
    ...{ name, help, labels: [] },
    ...(counts ? { counts } : {}),
    read: async () => [{ labels: {}, value: read(await see()) }],
  });
  const beat = (name: string, help: string, read: (status: PulseStatus) => number, counts?: true) =>
    one(name, help, feel, read, counts);
  const seen = (name: string, help: string, read: (status: WatchStatus) => number) => one(name, help, look, read);
  return [
    beat('baton_heartbeat_age_seconds', 'Since a heartbeat of any process ended well.', (now) => now.secondsSinceBeat),
    beat('baton_heartbeats_missed_total', 'Beats of this process that did not come.', (now) => now.missedBeats, true),
    beat('baton_heartbeats_failed_total', 'Beats of this process that failed.', (now) => now.failedBeats, true),
    seen('baton_follow_ups_behind_seconds', 'Since sweeps leave something that is due.', (now) => now.secondsBehind),
    seen('baton_follow_ups_failing', 'Follow-ups that sweeps failed at several times.', (now) => now.failing),
    seen('baton_notifications_undelivered', 'Messages that no channel could deliver.', (now) => now.undelivered),
    beat(
      'baton_machine_clock_ahead_seconds',
      "This machine's clock against the database's.",
      (now) => now.secondsAhead,
    ),
    {
      name: 'baton_alert',
      help: "1 for each alert about Baton's own clockwork that is on.",
      labels: ['alert'],
      read: async () =>
        (await readActiveAlerts(store, CLOCKWORK)).map((alert) => ({
          labels: { alert: withoutMachine(alert) },
          value: 1,
        })),
    },
  ];
}

const withoutMachine = (alert: string) => alert.replace(/@.*/, '');
