// Numbers for /metrics that sync and transitions stand for.
import { IDENTIFIER } from '../../care/systems.ts';
import { parseSearch } from '../../fhir/search/parse.ts';
import { countWaiting } from '../../intake/delivery-search.ts';
import type { Sync } from '../../sync/sync.ts';
import type { Transitions } from '../../transitions/transitions.ts';
import type { FhirContext } from '../fhir/context.ts';
import type { GaugeSource } from '../metrics.ts';
import { backlogGauges } from './backlog-gauges.ts';
import { clockworkGauges } from './clockwork-gauges.ts';
import { type RegistryGauged, registryGauges } from './registry-gauges.ts';
import { subscriptionGauges } from './subscriptions.ts';
import { syncGauges } from './sync-gauges.ts';

export interface Gauged {
  readonly sync?: Pick<Sync, 'status' | 'meter'> | undefined;
  readonly transitions?: Pick<Transitions, 'watchdog'> | undefined;
  readonly registry?: RegistryGauged | undefined;
}

export function operatorGauges(context: FhirContext, { sync, transitions, registry }: Gauged): GaugeSource[] {
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
  const refused: GaugeSource = {
    name: 'baton_deliveries_refused',
    help: 'Received messages that were refused and that nobody has repaired or dismissed.',
    labels: [],
    read: async () => [{ labels: {}, value: await countWaiting(context.store) }],
  };
  return [
    followUps,
    refused,
    ...backlogGauges(context.store, context.clock),
    ...(context.subscriptions ? subscriptionGauges(context.store) : []),
    ...(transitions ? clockworkGauges(context.store, transitions.watchdog) : []),
    ...(registry ? registryGauges(registry) : []),
    ...(sync ? syncGauges(sync) : []),
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
