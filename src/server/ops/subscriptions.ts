// What operators look at and do about FHIR Subscriptions. docs/subscriptions.md
import type { FastifyRequest } from 'fastify';
import type { Store } from '../../store/store.ts';
import type { Subscriptions } from '../../subscriptions/subscriptions.ts';
import { grantOf } from '../grant-of.ts';
import type { GaugeSource } from '../metrics.ts';
import type { Doors } from './sync-operations.ts';
import { listTable, type Table } from './table-list.ts';

/** Nothing of what is told, and no secrets. */
const SUBSCRIPTIONS: Table = {
  name: 'subscription',
  columns: 'id owner state events delivered failures failing_since next_at ends_at contact_at detail paused at'.split(
    ' ',
  ),
  times: ['failing_since', 'next_at', 'ends_at', 'contact_at', 'at'],
  order: 'at',
  key: 'id',
  filters: ['owner', 'state', 'paused'],
  codes: { state: ['waiting', 'requested', 'active', 'error', 'off'], paused: ['0', '1'] },
};

export function serveSubscriptions({ list, command }: Doors, store: Store, subscriptions: Subscriptions): void {
  list('subscriptions', SUBSCRIPTIONS.filters, async (request) => {
    const { items, ...page } = await listTable(store, SUBSCRIPTIONS, request);
    return { ...page, items: items.map((row) => ({ ...row, behind: behindOf(row) })) };
  });
  command('subscriptions/:id/pause', 'subscription-pause', async (request) => {
    await subscriptions.pause(grantOf(request).actor, idOf(request));
    return { id: idOf(request), paused: true };
  });
  command('subscriptions/:id/retry', 'subscription-retry', async (request) => {
    await subscriptions.retry(grantOf(request).actor, idOf(request));
    await subscriptions.tick();
    return { id: idOf(request), paused: false };
  });
}

function behindOf(row: object): number {
  const { events, delivered } = row as { readonly events?: unknown; readonly delivered?: unknown };
  return Number(events) - Number(delivered);
}

const idOf = (request: FastifyRequest) => (request.params as Record<string, string>).id ?? '';

export function subscriptionGauges(store: Store): GaugeSource[] {
  return [
    {
      name: 'baton_subscriptions',
      help: 'FHIR Subscriptions by state.',
      labels: ['state'],
      read: async () =>
        (await store.query('SELECT state, COUNT(*) AS n FROM subscription GROUP BY state ORDER BY state')).map(
          ({ state, n }) => ({ labels: { state: String(state) }, value: Number(n) }),
        ),
    },
    {
      name: 'baton_subscription_events_behind',
      help: 'Events that subscribers have not taken yet, without those of Subscriptions that are off.',
      labels: [],
      read: async () => {
        const sql = "SELECT COALESCE(SUM(events - delivered), 0) AS n FROM subscription WHERE state <> 'off'";
        return [{ labels: {}, value: Number((await store.query(sql))[0]?.n ?? 0) }];
      },
    },
  ];
}
