// What operators look at and do about received messages. The list tells nothing of patients; a single one shows what was
// received, and the trail says who looked. docs/intake.md
import type { FastifyRequest } from 'fastify';
import { type Deliveries, MOST_REPEATS } from '../../intake/deliveries.ts';
import { DELIVERY_FILTERS, findDeliveries } from '../../intake/delivery-search.ts';
import type { Store } from '../../store/store.ts';
import { grantOf } from '../grant-of.ts';
import { bodyOf, wrong } from './command-body.ts';
import type { ListPage, ListRequest } from './list-request.ts';
import type { Doors } from './sync-operations.ts';

const MANY = 100;

export function serveDeliveries({ list, item, command }: Doors, store: Store, deliveries: Deliveries): void {
  list('deliveries', Object.keys(DELIVERY_FILTERS), (request) => listDeliveries(store, request));
  item('deliveries/:id', 'delivery', (request) => deliveries.read(param(request, 'id')));
  command('deliveries/:id/replay', 'delivery-replay', async (request) => {
    const { dryRun = false, body } = bodyOf(request.body, ['dryRun', 'body']);
    if (typeof dryRun !== 'boolean') throw wrong('dryRun', 'dryRun is true or false.');
    if (body !== undefined && typeof body !== 'string') throw wrong('body', 'body is the corrected message as text.');
    return deliveries.repeat(grantOf(request).actor, param(request, 'id'), { dryRun, body });
  });
  command('deliveries/:id/dismiss', 'delivery-dismiss', async (request) => {
    const { reason } = bodyOf(request.body, ['reason']);
    if (typeof reason !== 'string' || reason.trim() === '')
      throw wrong('reason', 'Say in `reason` why it needs nothing.');
    return deliveries.dismiss(grantOf(request).actor, param(request, 'id'), reason);
  });
  command('replay-deliveries', 'delivery-replays', async (request) => {
    const { dryRun = false, filter, limit = MANY } = bodyOf(request.body, ['dryRun', 'filter', 'limit']);
    if (typeof dryRun !== 'boolean') throw wrong('dryRun', 'dryRun is true or false.');
    if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > MOST_REPEATS) {
      throw wrong('limit', `limit must be a whole number from 1 to ${MOST_REPEATS}.`);
    }
    const results = await deliveries.repeatAll(grantOf(request).actor, filterOf(filter), { dryRun, limit });
    return { dryRun, results };
  });
}

async function listDeliveries(store: Store, { limit, after, filter }: ListRequest): Promise<ListPage> {
  const found = await findDeliveries(store, { filter, limit: limit + 1, ...(after === undefined ? {} : { after }) });
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return last ? { items, next: last.id } : { items };
}

function filterOf(filter: unknown): Record<string, string> {
  const named = bodyOf(filter, Object.keys(DELIVERY_FILTERS));
  const other = Object.keys(named).find((name) => typeof named[name] !== 'string');
  if (other === undefined) return named as Record<string, string>;
  throw wrong(`filter.${other}`, `filter.${other} must be a text.`);
}

const param = (request: FastifyRequest, name: string) => (request.params as Record<string, string>)[name] ?? '';
