// Numbers for /metrics that sync and transitions stand for.
import { IDENTIFIER } from '../../care/systems.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import type { Sync } from '../../sync/sync.ts';
import type { FhirContext } from '../fhir/context.ts';
import type { GaugeSource } from '../metrics.ts';

export function operatorGauges(context: FhirContext, sync: Pick<Sync, 'status'> | undefined): GaugeSource[] {
  const followUps: GaugeSource = {
    name: 'baton_follow_ups',
    help: 'Follow-up Tasks by status.',
    labels: ['status'],
    read: async () => {
      const statuses = ['draft', 'requested', 'accepted', 'in-progress', 'on-hold', 'completed', 'failed', 'cancelled'];
      return Promise.all(
        statuses.map(async (status) => ({ labels: { status }, value: await countFollowUps(context, status) })),
      );
    },
  };
  if (!sync) return [followUps];
  const perConnection = (
    name: string,
    help: string,
    pick: 'feedLag' | 'openConflicts' | 'quarantined',
  ): GaugeSource => ({
    name,
    help,
    labels: ['connection'],
    read: async () =>
      (await sync.status()).map((status) => ({ labels: { connection: status.name }, value: status[pick] })),
  });
  return [
    followUps,
    perConnection('baton_sync_feed_lag', 'Versions in the log that the connection has not looked at yet.', 'feedLag'),
    perConnection('baton_sync_conflicts', 'Conflicts that wait for a person.', 'openConflicts'),
    perConnection('baton_sync_quarantined', 'Received resources that could not be taken in.', 'quarantined'),
    {
      name: 'baton_outbox_entries',
      help: 'Outbox entries by state.',
      labels: ['connection', 'state'],
      read: async () =>
        (await sync.status()).flatMap(({ name, outbox }) =>
          Object.entries(outbox).map(([state, value]) => ({ labels: { connection: name, state }, value })),
        ),
    },
  ];
}

async function countFollowUps(context: FhirContext, status: string): Promise<number> {
  const pairs = [
    ['identifier', `${IDENTIFIER.followUp}|`],
    ['status', status],
    ['_count', '0'],
  ] as const;
  const query = parseSearch(context.parameters, 'Task', pairs, { handling: 'strict', baseUrl: context.base() });
  return (await context.store.search(query)).total ?? 0;
}
