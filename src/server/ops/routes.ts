// /ops: what operators see and do. Thin: lists of what is kept, and commands to the parts that are there.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TrailVerdict } from '../../audit/verify.ts';
import type { Deliveries } from '../../intake/deliveries.ts';
import type { Notify } from '../../notify/notify.ts';
import { readIndexProgress } from '../../store/search/index-progress.ts';
import type { Sync } from '../../sync/sync.ts';
import type { Transitions } from '../../transitions/transitions.ts';
import type { FhirContext } from '../fhir/context.ts';
import { grantOf } from '../grant-of.ts';
import type { RouteFacts } from '../route-facts.ts';
import { serveConnections } from './connections.ts';
import { serveDeliveries } from './deliveries.ts';
import { endsSoon } from './ends-soon.ts';
import { serveFollowUps } from './follow-up-operations.ts';
import { type ListPage, type ListRequest, listRequest } from './list-request.ts';
import { listMatches, MATCH_FILTERS, readDecision } from './matches.ts';
import { serveSubscriptions } from './subscriptions.ts';
import { type OperatedSync, serveSyncOperations } from './sync-operations.ts';
import { ALERTS, AUDIT, listTable, OUTBOX, PROJECTIONS } from './table-list.ts';

export interface OperatorParts {
  readonly context: FhirContext;
  /** Absent: no routes about connections. */
  readonly sync?:
    | (Pick<
        Sync,
        | 'status'
        | 'connections'
        | 'checkConnection'
        | 'pullNow'
        | 'pushNow'
        | 'sweep'
        | 'matches'
        | 'decideMatch'
        | 'hints'
        | 'meter'
      > &
        OperatedSync)
    | undefined;
  /** Absent: no sweep. */
  readonly transitions?: Pick<Transitions, 'tick' | 'watchdog' | 'rewind' | 'replan'> | undefined;
  /** Absent: no routes about received messages. */
  readonly deliveries?: Deliveries | undefined;
  /** Absent: nobody can be told. */
  readonly notify?: Pick<Notify, 'tick' | 'retry'> | undefined;
  readonly verifyTrail: () => Promise<TrailVerdict>;
}

export function serveOperators(
  server: FastifyInstance,
  { context, sync, transitions, notify, deliveries, verifyTrail }: OperatorParts,
): void {
  const { store } = context;
  const list = (name: string, filters: readonly string[], read: (request: ListRequest) => Promise<ListPage>) =>
    server.get(`/ops/${name}`, facts(name, 'R'), async (request) => read(listRequest(request, filters)));
  const item = (path: string, name: string, read: (request: FastifyRequest, reply: FastifyReply) => Promise<object>) =>
    server.get(`/ops/${path}`, facts(name, 'R'), read);
  const command = (path: string, name: string, run: (request: FastifyRequest) => Promise<object>) =>
    server.post(`/ops/${path}`, facts(name, 'E'), run);

  list('audit', AUDIT.filters, (request) => listTable(store, AUDIT, request));
  if (deliveries) serveDeliveries({ list, item, command }, store, deliveries);
  serveFollowUps({ list, item, command }, { context, transitions, notify });
  if (context.subscriptions) serveSubscriptions({ list, item, command }, store, context.subscriptions);
  list('indexing', [], async () => ({ items: await readIndexProgress(store) }));
  command('audit/verify', 'audit-verify', () => verifyTrail());
  if (transitions) command('sweep', 'sweep', () => transitions.tick());
  if (!sync) return;
  for (const [name, table] of Object.entries({ outbox: OUTBOX, projections: PROJECTIONS, alerts: ALERTS })) {
    list(name, table.filters, (request) => listTable(store, table, request));
  }
  list('connections', [], async () => ({ items: await sync.status() }));
  serveConnections(server, sync);
  serveSyncOperations({ list, item, command }, { sync, store, clock: context.clock });
  list('matches', MATCH_FILTERS, (request) => listMatches(sync.matches, request));
  command('matches/:id/decide', 'decide-match', async (request) => {
    const id = param(request, 'id');
    const decision = readDecision(request.body, context.clock.real());
    await sync.decideMatch(grantOf(request).actor, id, decision);
    return { id, state: decision.decision === 'later' ? 'open' : 'resolved' };
  });
  for (const [direction, run] of [
    ['pull', sync.pullNow],
    ['push', sync.pushNow],
  ] as const) {
    command(`connections/:id/${direction}`, direction, async (request) => {
      const name = param(request, 'id');
      const finished = await endsSoon(run(name));
      return { ...(await sync.status()).find((status) => status.name === name), finished };
    });
  }
}

const facts = (name: string, action: 'R' | 'E'): { config: RouteFacts } => ({
  config: { door: 'baton/ops', interaction: `ops-${name}`, action },
});

const param = (request: FastifyRequest, name: string) => (request.params as Record<string, string>)[name] ?? '';
