// Numbers of accepted messages that are still to be applied, for /metrics.
import type { Clock } from '../../clock.ts';
import { type BacklogStatus, backlogStatus } from '../../intake/watch-backlog.ts';
import type { Store } from '../../store/store.ts';
import type { GaugeSource } from '../metrics.ts';
import { shared } from './shared.ts';

export function backlogGauges(store: Store, clock: Clock): GaugeSource[] {
  const look = shared(() => backlogStatus(store, clock));
  const one = (name: string, help: string, read: (status: BacklogStatus) => number): GaugeSource => ({
    name,
    help,
    labels: [],
    read: async () => [{ labels: {}, value: read(await look()) }],
  });
  return [
    one('baton_intake_backlog', 'HL7 v2 messages that are accepted and not applied yet.', ({ waiting }) => waiting),
    one('baton_intake_backlog_age_seconds', 'Since the first of them was received.', (now) => now.oldestSeconds),
    one(
      'baton_intake_refused_after_acceptance',
      'HL7 v2 messages that were accepted, could not be applied, and wait for repair.',
      ({ refused }) => refused,
    ),
  ];
}
